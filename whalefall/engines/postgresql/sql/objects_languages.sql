-- Owners and privileges of procedural languages.
-- Of what initdb made, only what was granted since is listed.
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , a.privilege_type
     , 'other'
     , NULL::text
     , l.lanname::text
     , NULL::text
     , a.is_grantable
     , CASE WHEN a.grantor > 0 THEN pg_catalog.pg_get_userbyid(a.grantor)::text END
     , 'language'
     , CASE WHEN NOT l.lanpltrusted THEN 'untrusted_language' END
     , 'pg_language'
  FROM pg_catalog.pg_language l
  LEFT JOIN pg_catalog.pg_init_privs i
    ON i.objoid = l.oid AND i.classoid = 'pg_catalog.pg_language'::pg_catalog.regclass
   AND i.objsubid = 0 AND l.oid < 16384
 CROSS JOIN LATERAL (
         SELECT l.lanowner AS grantee, 'OWNER' AS privilege_type, true AS is_grantable
              , NULL::pg_catalog.oid AS grantor
          WHERE NOT (l.oid < 16384) OR l.lanowner <> 10
          UNION ALL
         SELECT e.grantee, e.privilege_type, e.is_grantable, e.grantor
           FROM pg_catalog.aclexplode(
                  coalesce(l.lanacl, pg_catalog.acldefault('l', l.lanowner))) e
          WHERE NOT (l.oid < 16384)
             OR NOT EXISTS (
                  SELECT 1
                    FROM pg_catalog.aclexplode(
                           coalesce(i.initprivs, pg_catalog.acldefault('l', l.lanowner))) b
                   WHERE b.grantee = e.grantee AND b.privilege_type = e.privilege_type
                     AND b.is_grantable = e.is_grantable)
       ) a
 WHERE l.lanispl
   AND (NOT (l.oid < 16384) OR l.lanacl IS DISTINCT FROM i.initprivs)
