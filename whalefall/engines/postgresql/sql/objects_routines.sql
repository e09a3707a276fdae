-- Owners and privileges of functions, procedures and aggregates, named with their argument types.
-- Of what initdb made, only what was granted since is listed.
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , a.privilege_type
     , 'routine'
     , n.nspname::text
     , p.proname || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')'
     , NULL::text
     , a.is_grantable
     , CASE WHEN a.grantor > 0 THEN pg_catalog.pg_get_userbyid(a.grantor)::text END
     , CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END -- pragma: >= 110000
     , CASE WHEN p.proisagg THEN 'aggregate' ELSE 'function' END -- pragma: < 110000
     , nullif(pg_catalog.concat_ws(' '
           , CASE WHEN p.prosecdef AND pg_catalog.array_to_string(p.proconfig, ',') !~ '(^|,)search_path='
                    OR p.prosecdef AND p.proconfig IS NULL THEN 'search_path_open' END
           , CASE WHEN p.prosecdef THEN 'security_definer' END
           , CASE WHEN o.rolsuper THEN 'superuser_owned' END
           , CASE WHEN NOT l.lanpltrusted THEN 'untrusted_language' END), '')
     , 'pg_proc'
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  LEFT JOIN pg_catalog.pg_roles o ON o.oid = p.proowner
  LEFT JOIN pg_catalog.pg_init_privs i
    ON i.objoid = p.oid AND i.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass
   AND i.objsubid = 0 AND p.oid < 16384
 CROSS JOIN LATERAL (
         SELECT p.proowner AS grantee, 'OWNER' AS privilege_type, true AS is_grantable
              , NULL::pg_catalog.oid AS grantor
          WHERE NOT (p.oid < 16384) OR p.proowner <> 10
          UNION ALL
         SELECT e.grantee, e.privilege_type, e.is_grantable, e.grantor
           FROM pg_catalog.aclexplode(
                  coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) e
          WHERE NOT (p.oid < 16384)
             OR NOT EXISTS (
                  SELECT 1
                    FROM pg_catalog.aclexplode(
                           coalesce(i.initprivs, pg_catalog.acldefault('f', p.proowner))) b
                   WHERE b.grantee = e.grantee AND b.privilege_type = e.privilege_type
                     AND b.is_grantable = e.is_grantable)
       ) a
 WHERE n.nspname !~ '^pg_temp_[0-9]+$'
   AND (NOT (p.oid < 16384) OR p.proacl IS DISTINCT FROM i.initprivs)
