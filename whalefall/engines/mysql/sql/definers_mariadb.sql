-- Stored code and views with the account whose rights they run with.
SELECT LOWER(type) AS kind, db, name, definer, security_type AS security
FROM mysql.proc WHERE db NOT IN ('sys', 'mysql')
UNION ALL
SELECT 'event', db, name, definer, 'DEFINER' FROM mysql.event
UNION ALL
SELECT 'view', TABLE_SCHEMA, TABLE_NAME, DEFINER, SECURITY_TYPE
FROM information_schema.VIEWS
WHERE TABLE_SCHEMA NOT IN ('sys', 'mysql')
ORDER BY 2, 3, 1
