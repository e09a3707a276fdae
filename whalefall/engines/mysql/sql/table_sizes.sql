-- Sizes as the storage engines keep them in their statistics. Bind the database twice, or ''.
SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, DATA_LENGTH, INDEX_LENGTH, DATA_FREE, TABLE_ROWS
FROM information_schema.TABLES
WHERE TABLE_TYPE NOT IN ('VIEW', 'SYSTEM VIEW') AND (TABLE_SCHEMA = %s OR %s = '')
ORDER BY TABLE_SCHEMA, TABLE_NAME
