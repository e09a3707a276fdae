-- InnoDB's files as they lie on the disk, `database/table`. Bind the prefix twice, or ''.
-- Until MySQL 5.7 and in MariaDB the names are encoded as file names are.
SELECT name, bytes FROM (
    SELECT NAME AS name, FILE_SIZE AS bytes -- pragma: >= 80000, < 100000
    FROM information_schema.INNODB_TABLESPACES -- pragma: >= 80000, < 100000
    SELECT CONVERT(CONVERT(CONVERT(NAME USING binary) USING filename) USING utf8) AS name, FILE_SIZE AS bytes -- pragma: < 80000
    FROM information_schema.INNODB_SYS_TABLESPACES -- pragma: < 80000
    SELECT CONVERT(CONVERT(CONVERT(NAME USING binary) USING filename) USING utf8mb4) AS name, FILE_SIZE AS bytes -- pragma: >= 100000
    FROM information_schema.INNODB_SYS_TABLESPACES -- pragma: >= 100000
) AS files
WHERE INSTR(name, '/') > 0 AND LEFT(name, CHAR_LENGTH(%s)) = %s
ORDER BY name
