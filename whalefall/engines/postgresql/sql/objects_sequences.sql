-- Owners and privileges of sequences.
-- Of what initdb made, only what was granted since is listed.
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , a.privilege_type
     , 'sequence'
     , n.nspname::text
     , c.relname::text
     , NULL::text
     , a.is_grantable
     , CASE WHEN a.grantor > 0 THEN pg_catalog.pg_get_userbyid(a.grantor)::text END
     , NULL::text
     , NULL::text
     , 'pg_class'
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_init_privs i
    ON i.objoid = c.oid AND i.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
   AND i.objsubid = 0 AND c.oid < 16384
 CROSS JOIN LATERAL (
         SELECT c.relowner AS grantee, 'OWNER' AS privilege_type, true AS is_grantable
              , NULL::pg_catalog.oid AS grantor
          WHERE NOT (c.oid < 16384) OR c.relowner <> 10
          UNION ALL
         SELECT e.grantee, e.privilege_type, e.is_grantable, e.grantor
           FROM pg_catalog.aclexplode(
                  coalesce(c.relacl, pg_catalog.acldefault('s', c.relowner))) e
          WHERE NOT (c.oid < 16384)
             OR NOT EXISTS (
                  SELECT 1
                    FROM pg_catalog.aclexplode(
                           coalesce(i.initprivs, pg_catalog.acldefault('s', c.relowner))) b
                   WHERE b.grantee = e.grantee AND b.privilege_type = e.privilege_type
                     AND b.is_grantable = e.is_grantable)
       ) a
 WHERE c.relkind = 'S'
   AND c.relpersistence <> 't'
   AND (NOT (c.oid < 16384) OR c.relacl IS DISTINCT FROM i.initprivs)
