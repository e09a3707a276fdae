-- Default privileges beyond the built-in ones: what a role's future objects will give to whom.
-- pg_default_acl counts sequences as S, which is a foreign server to acldefault.
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , 'DEFAULT ' || a.privilege_type
     , 'other'
     , n.nspname::text
     , CASE f.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'routines'
            WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END
       || ' of ' || pg_catalog.pg_get_userbyid(f.defaclrole)
     , NULL::text
     , a.is_grantable
     , pg_catalog.pg_get_userbyid(f.defaclrole)::text
     , 'default privileges'
     , CASE WHEN o.rolsuper THEN 'superuser_owned' END
     , 'pg_default_acl'
  FROM pg_catalog.pg_default_acl f
  LEFT JOIN pg_catalog.pg_roles o ON o.oid = f.defaclrole
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = f.defaclnamespace
 CROSS JOIN LATERAL pg_catalog.aclexplode(f.defaclacl) a
 WHERE f.defaclnamespace <> 0
    OR NOT EXISTS (
         SELECT 1
           FROM pg_catalog.aclexplode(pg_catalog.acldefault(
                  CASE f.defaclobjtype WHEN 'S' THEN 's' ELSE f.defaclobjtype END, f.defaclrole)) b
          WHERE b.grantee = a.grantee AND b.privilege_type = a.privilege_type
            AND b.is_grantable = a.is_grantable)
