-- What the files of each database take, in pages of 8 KB, and how far those with data may grow
-- (max_size -1: until the disk is full; growth 0: not at all).
SELECT d.name
     , COUNT(f.file_id) AS file_total
     , SUM(CASE WHEN f.type <> 1 THEN CAST(f.size AS bigint) END) AS data_pages
     , SUM(CASE WHEN f.type = 1 THEN CAST(f.size AS bigint) END) AS log_pages
     , SUM(CASE WHEN f.type <> 1 AND (f.growth = 0 OR f.max_size = 0) THEN CAST(f.size AS bigint)
                WHEN f.type <> 1 AND f.max_size > 0 THEN CAST(f.max_size AS bigint)
           END) AS limit_pages
     , SUM(CASE WHEN f.type <> 1 AND f.growth <> 0 AND f.max_size = -1 THEN 1 ELSE 0 END) AS unlimited
  FROM sys.databases AS d
  JOIN sys.master_files AS f ON f.database_id = d.database_id
 GROUP BY d.name
 ORDER BY d.name
