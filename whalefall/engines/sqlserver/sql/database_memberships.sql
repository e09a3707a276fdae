-- Who is in which role of one database.
SELECT m.member_principal_id, m.role_principal_id
  FROM {database}.sys.database_role_members AS m
 ORDER BY m.role_principal_id, m.member_principal_id
