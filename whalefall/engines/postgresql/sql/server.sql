-- What the server is, who reads it, and what that login may read here.
SELECT pg_catalog.current_setting('server_version')
     , current_user
     , (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)
     , pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT')
     , pg_catalog.has_table_privilege('pg_catalog.pg_db_role_setting', 'SELECT')
     , pg_catalog.has_table_privilege('pg_catalog.pg_auth_members', 'SELECT')
     , pg_catalog.has_table_privilege('pg_catalog.pg_database', 'SELECT')
     , pg_catalog.has_table_privilege('pg_catalog.pg_tablespace', 'SELECT')
     , pg_catalog.has_table_privilege('pg_catalog.pg_parameter_acl', 'SELECT') -- pragma: >= 150000
     , true -- pragma: < 150000
     , pg_catalog.has_table_privilege('pg_catalog.pg_hba_file_rules', 'SELECT')
       AND pg_catalog.has_function_privilege('pg_catalog.pg_hba_file_rules()', 'EXECUTE')
     , pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
     , pg_catalog.current_setting('password_encryption')
     , pg_catalog.current_setting('ssl')
     , pg_catalog.current_setting('row_security')
     , pg_catalog.pg_is_in_recovery()
