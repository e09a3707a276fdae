-- Every column: one per privilege, and MariaDB adds some.
SELECT * FROM mysql.db ORDER BY User, Host, Db
