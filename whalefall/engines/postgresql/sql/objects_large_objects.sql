-- Owners and privileges of large objects, named by their number. There may be millions on which
-- nobody was granted anything: those are one line for each owner.
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , a.privilege_type
     , 'other'
     , NULL::text
     , b.name
     , NULL::text
     , a.is_grantable
     , CASE WHEN a.grantor > 0 THEN pg_catalog.pg_get_userbyid(a.grantor)::text END
     , 'large object'
     , NULL::text
     , 'pg_largeobject_metadata'
  FROM (
         SELECT m.oid::text AS name, m.lomowner, m.lomacl
           FROM pg_catalog.pg_largeobject_metadata m
          WHERE m.lomacl IS NOT NULL
          UNION ALL
         SELECT DISTINCT 'all without grants', m.lomowner, NULL::pg_catalog.aclitem[]
           FROM pg_catalog.pg_largeobject_metadata m
          WHERE m.lomacl IS NULL
       ) b
 CROSS JOIN LATERAL (
         SELECT b.lomowner AS grantee, 'OWNER' AS privilege_type, true AS is_grantable
              , NULL::pg_catalog.oid AS grantor
          UNION ALL
         SELECT e.grantee, e.privilege_type, e.is_grantable, e.grantor
           FROM pg_catalog.aclexplode(
                  coalesce(b.lomacl, pg_catalog.acldefault('L', b.lomowner))) e
       ) a
