SELECT /*m.*/0 AS con_id
     , m.grantee
     , m.granted_role
     , m.admin_option
     , m.delegate_option -- pragma: >= 120100
     , 'NO' -- pragma: < 120100
     , m.default_role
     , m.common -- pragma: >= 120100
     , 'NO' -- pragma: < 120100
  FROM sys.dba_role_privs m
--cdb WHERE m.common = 'NO' OR m.con_id = 1
 ORDER BY 1, 2, 3
