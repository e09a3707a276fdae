-- What is left without mysql.db: the login's own rows (sometimes more; never surely all).
SELECT GRANTEE, TABLE_SCHEMA, PRIVILEGE_TYPE, IS_GRANTABLE = 'YES'
FROM information_schema.SCHEMA_PRIVILEGES
ORDER BY 1, 2, 3
