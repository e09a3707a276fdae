-- The system privileges that this session has, as the server sees it.
SELECT p.privilege
  FROM sys.session_privs p
 ORDER BY p.privilege
