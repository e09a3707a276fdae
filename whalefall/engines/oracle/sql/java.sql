SELECT /*j.*/0 AS con_id
     , j.grantee
     , j.type_name
     , j.name
     , j.action
     , j.kind
  FROM sys.dba_java_policy j
 WHERE j.enabled = 'ENABLED'
 ORDER BY 1, 2, 3, 4, 5
