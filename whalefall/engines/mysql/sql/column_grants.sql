SELECT User, Host, Db, Table_name, Column_name, Column_priv
FROM mysql.columns_priv
ORDER BY User, Host, Db, Table_name, Column_name
