-- SET and ALTER SYSTEM on configuration parameters (15+; the table holds what was granted only).
SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
     , a.privilege_type
     , 'server'
     , NULL::text
     , p.parname::text
     , a.is_grantable
     , pg_catalog.pg_get_userbyid(a.grantor)::text
     , 'parameter'
     , 'pg_parameter_acl'
  FROM pg_catalog.pg_parameter_acl p
 CROSS JOIN LATERAL pg_catalog.aclexplode(p.paracl) a
 WHERE a.grantee <> 10
