-- Owners and privileges of foreign data wrappers.
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , a.privilege_type
     , 'other'
     , NULL::text
     , w.fdwname::text
     , NULL::text
     , a.is_grantable
     , CASE WHEN a.grantor > 0 THEN pg_catalog.pg_get_userbyid(a.grantor)::text END
     , 'foreign data wrapper'
     , NULL::text
     , 'pg_foreign_data_wrapper'
  FROM pg_catalog.pg_foreign_data_wrapper w
 CROSS JOIN LATERAL (
         SELECT w.fdwowner AS grantee, 'OWNER' AS privilege_type, true AS is_grantable
              , NULL::pg_catalog.oid AS grantor
          UNION ALL
         SELECT e.grantee, e.privilege_type, e.is_grantable, e.grantor
           FROM pg_catalog.aclexplode(
                  coalesce(w.fdwacl, pg_catalog.acldefault('F', w.fdwowner))) e
       ) a
