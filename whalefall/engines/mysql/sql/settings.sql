SHOW GLOBAL VARIABLES WHERE Variable_name IN (
    'version', 'version_comment', 'hostname', 'server_uuid', 'lower_case_table_names',
    'partial_revokes', 'mandatory_roles', 'activate_all_roles_on_login',
    'activate_mandatory_roles',
    'default_password_lifetime', 'password_history', 'disconnect_on_expired_password',
    'default_authentication_plugin', 'authentication_policy', 'old_passwords', 'secure_auth',
    'strict_password_validation', 'simple_password_check_minimal_length',
    'validate_password.policy', 'validate_password.length', 'validate_password_policy',
    'validate_password_length', 'max_password_errors', 'failed_connections_limit',
    'have_ssl', 'ssl_ca', 'require_secure_transport', 'tls_version',
    'local_infile', 'secure_file_priv', 'skip_name_resolve', 'skip_grant_tables',
    'automatic_sp_privileges', 'log_bin_trust_function_creators', 'check_proxy_users',
    'mysql_native_password_proxy_users', 'read_only', 'super_read_only', 'log_bin',
    'innodb_file_per_table', 'innodb_stats_on_metadata', 'max_connections',
    'max_user_connections', 'default_storage_engine', 'version_compile_os'
)
