-- Owners and privileges of tablespaces.
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , a.privilege_type
     , 'tablespace'
     , NULL::text
     , t.spcname::text
     , a.is_grantable
     , CASE WHEN a.grantor > 0 THEN pg_catalog.pg_get_userbyid(a.grantor)::text END
     , NULL::text
     , 'pg_tablespace'
  FROM pg_catalog.pg_tablespace t
 CROSS JOIN LATERAL (
         SELECT t.spcowner AS grantee, 'OWNER' AS privilege_type, true AS is_grantable
              , NULL::pg_catalog.oid AS grantor
          UNION ALL
         SELECT e.grantee, e.privilege_type, e.is_grantable, e.grantor
           FROM pg_catalog.aclexplode(
                  coalesce(t.spcacl, pg_catalog.acldefault('t', t.spcowner))) e
       ) a
