-- Owners and privileges of schemas.
-- Of what initdb made, only what was granted since is listed (pg_init_privs knows nothing of the
-- information_schema, which PUBLIC may read).
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , a.privilege_type
     , 'schema'
     , n.nspname::text
     , NULL::text
     , NULL::text
     , a.is_grantable
     , CASE WHEN a.grantor > 0 THEN pg_catalog.pg_get_userbyid(a.grantor)::text END
     , NULL::text
     , NULL::text
     , 'pg_namespace'
  FROM pg_catalog.pg_namespace n
  LEFT JOIN pg_catalog.pg_init_privs i
    ON i.objoid = n.oid AND i.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
   AND i.objsubid = 0 AND n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast')
 CROSS JOIN LATERAL (
         SELECT n.nspowner AS grantee, 'OWNER' AS privilege_type, true AS is_grantable
              , NULL::pg_catalog.oid AS grantor
          WHERE NOT (n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast')) OR n.nspowner <> 10
          UNION ALL
         SELECT e.grantee, e.privilege_type, e.is_grantable, e.grantor
           FROM pg_catalog.aclexplode(
                  coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) e
          WHERE NOT (n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast'))
             OR NOT EXISTS (
                  SELECT 1
                    FROM pg_catalog.aclexplode(
                           coalesce(i.initprivs, pg_catalog.acldefault('n', n.nspowner))) b
                   WHERE b.grantee = e.grantee AND b.privilege_type = e.privilege_type
                     AND b.is_grantable = e.is_grantable)
       ) a
 WHERE n.nspname !~ '^pg_(toast_)?temp_[0-9]+$'
   AND NOT (n.nspname = 'information_schema' AND a.grantee = 0 AND a.privilege_type = 'USAGE')
   AND (NOT (n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast')) OR n.nspacl IS DISTINCT FROM i.initprivs)
