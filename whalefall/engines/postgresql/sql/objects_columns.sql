-- Privileges on single columns.
-- Of what initdb made, only what was granted since is listed.
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , a.privilege_type
     , 'column'
     , n.nspname::text
     , c.relname::text
     , t.attname::text
     , a.is_grantable
     , CASE WHEN a.grantor > 0 THEN pg_catalog.pg_get_userbyid(a.grantor)::text END
     , NULL::text
     , NULL::text
     , 'pg_attribute'
  FROM pg_catalog.pg_attribute t
  JOIN pg_catalog.pg_class c ON c.oid = t.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_init_privs i
    ON i.objoid = t.attrelid AND i.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
   AND i.objsubid = t.attnum AND c.oid < 16384
 CROSS JOIN LATERAL (
         SELECT e.grantee, e.privilege_type, e.is_grantable, e.grantor
           FROM pg_catalog.aclexplode(
                  t.attacl) e
          WHERE NOT (c.oid < 16384)
             OR NOT EXISTS (
                  SELECT 1
                    FROM pg_catalog.aclexplode(
                           i.initprivs) b
                   WHERE b.grantee = e.grantee AND b.privilege_type = e.privilege_type
                     AND b.is_grantable = e.is_grantable)
       ) a
 WHERE t.attacl IS NOT NULL
   AND NOT t.attisdropped
   AND c.relpersistence <> 't'
   AND (NOT (c.oid < 16384) OR t.attacl IS DISTINCT FROM i.initprivs)
