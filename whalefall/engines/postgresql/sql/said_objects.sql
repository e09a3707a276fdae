-- What the server says about what lies in this database, of each kind the first {objects} that did
-- not come with the server.
SELECT m.rolname::text, 'schema', 'has_schema_privilege', p.privilege, o.nspname::text, NULL::text
     , NULL::text
     , pg_catalog.has_schema_privilege(m.oid, o.oid, p.privilege)
  FROM pg_catalog.pg_roles m
 CROSS JOIN (SELECT n.oid, n.nspname
               FROM pg_catalog.pg_namespace n
              WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
              ORDER BY n.oid LIMIT {objects}) o
 CROSS JOIN pg_catalog.unnest(ARRAY['CREATE', 'USAGE']) p (privilege)
 WHERE m.rolname = ANY ({roles})
 UNION ALL
SELECT m.rolname::text, 'table', 'has_table_privilege', p.privilege, o.nspname::text, o.relname::text
     , NULL::text
     , pg_catalog.has_table_privilege(m.oid, o.oid, p.privilege)
  FROM pg_catalog.pg_roles m
 CROSS JOIN (SELECT c.oid, n.nspname, c.relname
               FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.oid >= 16384
                AND c.relpersistence <> 't'
              ORDER BY c.oid LIMIT {objects}) o
 CROSS JOIN pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES'
                        , 'MAINTAIN' -- pragma: >= 170000
                        , 'TRIGGER']) p (privilege)
 WHERE m.rolname = ANY ({roles})
 UNION ALL
SELECT m.rolname::text, 'column', 'has_column_privilege', p.privilege, o.nspname::text, o.relname::text
     , o.attname::text
     , pg_catalog.has_column_privilege(m.oid, o.oid, o.attnum, p.privilege)
  FROM pg_catalog.pg_roles m
 CROSS JOIN (SELECT c.oid, n.nspname, c.relname, a.attname, a.attnum
               FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                AND NOT a.attisdropped
              WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.oid >= 16384
                AND c.relpersistence <> 't'
              ORDER BY a.attacl IS NULL, c.oid, a.attnum LIMIT {objects}) o
 CROSS JOIN pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p (privilege)
 WHERE m.rolname = ANY ({roles})
 UNION ALL
SELECT m.rolname::text, 'sequence', 'has_sequence_privilege', p.privilege, o.nspname::text
     , o.relname::text, NULL::text
     , pg_catalog.has_sequence_privilege(m.oid, o.oid, p.privilege)
  FROM pg_catalog.pg_roles m
 CROSS JOIN (SELECT c.oid, n.nspname, c.relname
               FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind = 'S' AND c.oid >= 16384 AND c.relpersistence <> 't'
              ORDER BY c.oid LIMIT {objects}) o
 CROSS JOIN pg_catalog.unnest(ARRAY['SELECT', 'UPDATE', 'USAGE']) p (privilege)
 WHERE m.rolname = ANY ({roles})
 UNION ALL
SELECT m.rolname::text, 'routine', 'has_function_privilege', 'EXECUTE', o.nspname::text, o.proname
     , NULL::text
     , pg_catalog.has_function_privilege(m.oid, o.oid, 'EXECUTE')
  FROM pg_catalog.pg_roles m
 CROSS JOIN (SELECT f.oid, n.nspname
                  , f.proname || '(' || pg_catalog.oidvectortypes(f.proargtypes) || ')' AS proname
               FROM pg_catalog.pg_proc f
               JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
              WHERE f.oid >= 16384 AND n.nspname !~ '^pg_temp_'
              ORDER BY f.oid LIMIT {objects}) o
 WHERE m.rolname = ANY ({roles})
