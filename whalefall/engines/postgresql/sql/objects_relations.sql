-- Owners and privileges of tables, partitions, views, materialized views and foreign tables.
-- A partition that has no privileges of its own can be left out (setting whalefall.partitions).
-- Of what initdb made, only what was granted since is listed (pg_init_privs knows nothing of the
-- information_schema, which PUBLIC may read).
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , a.privilege_type
     , 'table'
     , n.nspname::text
     , c.relname::text
     , NULL::text
     , a.is_grantable
     , CASE WHEN a.grantor > 0 THEN pg_catalog.pg_get_userbyid(a.grantor)::text END
     , CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                      WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END
     , nullif(pg_catalog.concat_ws(' '
           , CASE WHEN c.relispartition THEN 'partition' END
           , CASE WHEN c.relrowsecurity THEN 'row_security' END
           , CASE WHEN c.relforcerowsecurity THEN 'row_security_forced' END), '')
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
                  coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) e
          WHERE NOT (c.oid < 16384)
             OR NOT EXISTS (
                  SELECT 1
                    FROM pg_catalog.aclexplode(
                           coalesce(i.initprivs, pg_catalog.acldefault('r', c.relowner))) b
                   WHERE b.grantee = e.grantee AND b.privilege_type = e.privilege_type
                     AND b.is_grantable = e.is_grantable)
       ) a
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND c.relpersistence <> 't'
   AND (NOT c.relispartition OR c.relacl IS NOT NULL
        OR pg_catalog.current_setting('whalefall.partitions', true) IS DISTINCT FROM 'collapse')
   AND NOT (n.nspname = 'information_schema' AND a.grantee = 0 AND a.privilege_type = 'SELECT')
   AND (NOT (c.oid < 16384) OR c.relacl IS DISTINCT FROM i.initprivs)
