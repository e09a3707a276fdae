-- What the server says about roles, databases and tablespaces: {roles} is an array of names.
SELECT m.rolname::text, 'role', 'pg_has_role', r.rolname::text, NULL::text
     , pg_catalog.pg_has_role(m.oid, r.oid, 'USAGE')
  FROM pg_catalog.pg_roles m
 CROSS JOIN pg_catalog.pg_roles r
 WHERE m.rolname = ANY ({roles}) AND m.oid <> r.oid AND NOT m.rolsuper
   AND r.rolname <> 'pg_database_owner'
 UNION ALL
SELECT m.rolname::text, 'database', 'has_database_privilege', p.privilege, d.datname::text
     , pg_catalog.has_database_privilege(m.oid, d.oid, p.privilege)
  FROM pg_catalog.pg_roles m
 CROSS JOIN (SELECT oid, datname FROM pg_catalog.pg_database ORDER BY oid LIMIT {objects}) d
 CROSS JOIN pg_catalog.unnest(ARRAY['CONNECT', 'CREATE', 'TEMPORARY']) p (privilege)
 WHERE m.rolname = ANY ({roles})
 UNION ALL
SELECT m.rolname::text, 'tablespace', 'has_tablespace_privilege', 'CREATE', t.spcname::text
     , pg_catalog.has_tablespace_privilege(m.oid, t.oid, 'CREATE')
  FROM pg_catalog.pg_roles m
 CROSS JOIN (SELECT oid, spcname FROM pg_catalog.pg_tablespace ORDER BY oid LIMIT {objects}) t
 WHERE m.rolname = ANY ({roles})
