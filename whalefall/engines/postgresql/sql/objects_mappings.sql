-- User mappings: whose name on a foreign server is known here. The view keeps their options secret.
SELECT CASE m.umuser WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(m.umuser)::text END
     , 'USER MAPPING'
     , 'other'
     , NULL::text
     , m.srvname::text
     , NULL::text
     , false
     , NULL::text
     , 'user mapping'
     , NULL::text
     , 'pg_user_mappings'
  FROM pg_catalog.pg_user_mappings m
