-- Since 23ai: a system privilege on the objects of one schema.
SELECT /*g.*/0 AS con_id
     , g.grantee
     , g.privilege
     , g.schema
     , g.admin_option
     , g.common
  FROM sys.dba_schema_privs g
--cdb WHERE g.common = 'NO' OR g.con_id = 1
 ORDER BY 1, 2, 3, 4
