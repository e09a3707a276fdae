-- InnoDB's files as they lie on the disk. Bind the database twice, or ''.
-- MySQL 8 tells `database/table#p#partition`, plain. MySQL 5.7 and MariaDB tell the names encoded as
-- file names are, where only the partition's mark is a bare #; conversion ends at a / or a bare #.
SELECT db, tab, bytes FROM (
    SELECT
        SUBSTRING_INDEX(NAME, '/', 1) AS db, -- pragma: >= 80000, < 100000
        SUBSTRING(NAME FROM INSTR(NAME, '/') + 1) AS tab, -- pragma: >= 80000, < 100000
        CONVERT(CONVERT(CONVERT(SUBSTRING_INDEX(NAME, '/', 1) USING binary) USING filename) USING utf8) AS db, -- pragma: < 80000
        CONVERT(CONVERT(CONVERT(SUBSTRING_INDEX(SUBSTRING(NAME FROM INSTR(NAME, '/') + 1), '#', 1) USING binary) USING filename) USING utf8) AS tab, -- pragma: < 80000
        CONVERT(CONVERT(CONVERT(SUBSTRING_INDEX(NAME, '/', 1) USING binary) USING filename) USING utf8mb4) AS db, -- pragma: >= 100000
        CONVERT(CONVERT(CONVERT(SUBSTRING_INDEX(SUBSTRING(NAME FROM INSTR(NAME, '/') + 1), '#', 1) USING binary) USING filename) USING utf8mb4) AS tab, -- pragma: >= 100000
        FILE_SIZE AS bytes
    FROM information_schema.INNODB_TABLESPACES -- pragma: >= 80000, < 100000
    FROM information_schema.INNODB_SYS_TABLESPACES -- pragma: < 80000
    FROM information_schema.INNODB_SYS_TABLESPACES -- pragma: >= 100000
    WHERE INSTR(NAME, '/') > 0
) AS files
WHERE db = %s OR %s = ''
ORDER BY db, tab
