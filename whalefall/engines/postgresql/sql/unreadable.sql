-- The catalogs of this database that this login may not read (normally none).
SELECT c.name
  FROM pg_catalog.unnest(ARRAY[
         'pg_namespace', 'pg_class', 'pg_attribute', 'pg_proc', 'pg_type', 'pg_language',
         'pg_foreign_data_wrapper', 'pg_foreign_server', 'pg_user_mappings',
         'pg_largeobject_metadata', 'pg_default_acl', 'pg_init_privs']) c(name)
 WHERE NOT pg_catalog.has_table_privilege('pg_catalog.' || c.name, 'SELECT')
