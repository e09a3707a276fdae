SELECT User, Host, Db, Table_name, Grantor, Table_priv
FROM mysql.tables_priv
ORDER BY User, Host, Db, Table_name
