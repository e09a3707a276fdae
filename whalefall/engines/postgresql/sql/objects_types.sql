-- Owners and privileges of types that somebody made: no row types of tables, no arrays.
-- Of what initdb made, only what was granted since is listed.
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , a.privilege_type
     , 'other'
     , n.nspname::text
     , t.typname::text
     , NULL::text
     , a.is_grantable
     , CASE WHEN a.grantor > 0 THEN pg_catalog.pg_get_userbyid(a.grantor)::text END
     , 'type'
     , NULL::text
     , 'pg_type'
  FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_init_privs i
    ON i.objoid = t.oid AND i.classoid = 'pg_catalog.pg_type'::pg_catalog.regclass
   AND i.objsubid = 0 AND t.oid < 16384
 CROSS JOIN LATERAL (
         SELECT t.typowner AS grantee, 'OWNER' AS privilege_type, true AS is_grantable
              , NULL::pg_catalog.oid AS grantor
          WHERE NOT (t.oid < 16384) OR t.typowner <> 10
          UNION ALL
         SELECT e.grantee, e.privilege_type, e.is_grantable, e.grantor
           FROM pg_catalog.aclexplode(
                  coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner))) e
          WHERE NOT (t.oid < 16384)
             OR NOT EXISTS (
                  SELECT 1
                    FROM pg_catalog.aclexplode(
                           coalesce(i.initprivs, pg_catalog.acldefault('T', t.typowner))) b
                   WHERE b.grantee = e.grantee AND b.privilege_type = e.privilege_type
                     AND b.is_grantable = e.is_grantable)
       ) a
 WHERE t.typtype IN ('b', 'c', 'd', 'e', 'r')
   AND n.nspname !~ '^pg_(toast_)?temp_[0-9]+$'
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
   AND (NOT (t.oid < 16384) OR t.typacl IS DISTINCT FROM i.initprivs)
