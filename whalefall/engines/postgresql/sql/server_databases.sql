-- Owners and privileges of databases; "database" is the fourth column.
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , a.privilege_type
     , 'database'
     , d.datname::text
     , NULL::text
     , a.is_grantable
     , CASE WHEN a.grantor > 0 THEN pg_catalog.pg_get_userbyid(a.grantor)::text END
     , NULL::text
     , 'pg_database'
  FROM pg_catalog.pg_database d
 CROSS JOIN LATERAL (
         SELECT d.datdba AS grantee, 'OWNER' AS privilege_type, true AS is_grantable
              , NULL::pg_catalog.oid AS grantor
          UNION ALL
         SELECT e.grantee, e.privilege_type, e.is_grantable, e.grantor
           FROM pg_catalog.aclexplode(
                  coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) e
       ) a
