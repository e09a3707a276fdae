SELECT /*r.*/0 AS con_id
     , r.role
     , r.authentication_type
     , r.common -- pragma: >= 120100
     , NULL -- pragma: < 120100
     , r.oracle_maintained -- pragma: >= 120100
     , NULL -- pragma: < 120100
  FROM sys.dba_roles r
 ORDER BY 1, 2
