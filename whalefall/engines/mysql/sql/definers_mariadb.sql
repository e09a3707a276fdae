-- Stored code and views with the account whose rights they run with. The rows `right` tell whether
-- all are here: views are hidden from a login without SHOW VIEW (or SELECT) on *.*.
SELECT 'right' AS kind, '' AS db, '' AS name, '' AS definer, PRIVILEGE_TYPE AS security
FROM information_schema.USER_PRIVILEGES
WHERE GRANTEE = CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')
UNION ALL
SELECT LOWER(type), db, name, definer, security_type
FROM mysql.proc WHERE db NOT IN ('sys', 'mysql')
UNION ALL
SELECT 'event', db, name, definer, 'DEFINER' FROM mysql.event
UNION ALL
SELECT 'view', TABLE_SCHEMA, TABLE_NAME, DEFINER, SECURITY_TYPE
FROM information_schema.VIEWS
WHERE TABLE_SCHEMA NOT IN ('sys', 'mysql')
ORDER BY 2, 3, 1
