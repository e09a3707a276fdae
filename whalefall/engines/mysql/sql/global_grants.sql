-- The dynamic privileges of MySQL 8.
SELECT USER, HOST, PRIV, WITH_GRANT_OPTION = 'Y'
FROM mysql.global_grants
ORDER BY USER, HOST, PRIV
