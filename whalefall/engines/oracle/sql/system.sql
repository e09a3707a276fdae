SELECT /*g.*/0 AS con_id
     , g.grantee
     , g.privilege
     , g.admin_option
     , g.common -- pragma: >= 120100
     , 'NO' -- pragma: < 120100
  FROM sys.dba_sys_privs g
--cdb WHERE g.common = 'NO' OR g.con_id = 1
 ORDER BY 1, 2, 3
