SELECT User, Host, Db, Routine_name, Routine_type, Grantor, Proc_priv
FROM mysql.procs_priv
ORDER BY User, Host, Db, Routine_name, Routine_type
