-- Owners and privileges of foreign servers.
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , a.privilege_type
     , 'other'
     , NULL::text
     , s.srvname::text
     , NULL::text
     , a.is_grantable
     , CASE WHEN a.grantor > 0 THEN pg_catalog.pg_get_userbyid(a.grantor)::text END
     , 'foreign server'
     , NULL::text
     , 'pg_foreign_server'
  FROM pg_catalog.pg_foreign_server s
 CROSS JOIN LATERAL (
         SELECT s.srvowner AS grantee, 'OWNER' AS privilege_type, true AS is_grantable
              , NULL::pg_catalog.oid AS grantor
          UNION ALL
         SELECT e.grantee, e.privilege_type, e.is_grantable, e.grantor
           FROM pg_catalog.aclexplode(
                  coalesce(s.srvacl, pg_catalog.acldefault('S', s.srvowner))) e
       ) a
