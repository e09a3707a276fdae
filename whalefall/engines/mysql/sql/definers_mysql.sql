-- Stored code and views with the account whose rights they run with. MySQL 8 hides routines from a
-- login without SHOW_ROUTINE (or SELECT) on *.*: the rows `right` tell whether all are here.
SELECT 'right' AS kind, '' AS db, '' AS name, '' AS definer, PRIVILEGE_TYPE AS security
FROM information_schema.USER_PRIVILEGES
WHERE GRANTEE = CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')
UNION ALL
SELECT LOWER(ROUTINE_TYPE), ROUTINE_SCHEMA, ROUTINE_NAME, DEFINER, SECURITY_TYPE -- pragma: >= 80000
FROM information_schema.ROUTINES -- pragma: >= 80000
WHERE ROUTINE_SCHEMA NOT IN ('sys', 'mysql') -- pragma: >= 80000
SELECT LOWER(type), db, name, definer, security_type -- pragma: < 80000
FROM mysql.proc WHERE db NOT IN ('sys', 'mysql') -- pragma: < 80000
UNION ALL -- pragma: < 80000
SELECT 'event', db, name, definer, 'DEFINER' FROM mysql.event -- pragma: < 80000
UNION ALL
SELECT 'view', TABLE_SCHEMA, TABLE_NAME, DEFINER, SECURITY_TYPE
FROM information_schema.VIEWS
WHERE TABLE_SCHEMA NOT IN ('sys', 'mysql')
ORDER BY 2, 3, 1
