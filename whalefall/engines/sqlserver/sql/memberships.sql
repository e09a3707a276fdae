-- Who is in which server role.
SELECT m.member_principal_id, m.role_principal_id
  FROM sys.server_role_members AS m
 ORDER BY m.role_principal_id, m.member_principal_id
