SELECT r.role
  FROM sys.session_roles r
 ORDER BY r.role
