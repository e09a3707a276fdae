SELECT /*p.*/0 AS con_id
     , p.profile
     , p.resource_name
     , p.limit
  FROM sys.dba_profiles p
 ORDER BY 1, 2, 3
