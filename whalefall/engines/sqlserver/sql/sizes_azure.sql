-- The files of this one database; Azure SQL Database has no master_files.
SELECT DB_NAME() AS name
     , COUNT(f.file_id) AS file_total
     , SUM(CASE WHEN f.type <> 1 THEN CAST(f.size AS bigint) END) AS data_pages
     , SUM(CASE WHEN f.type = 1 THEN CAST(f.size AS bigint) END) AS log_pages
     , SUM(CASE WHEN f.type <> 1 AND (f.growth = 0 OR f.max_size = 0) THEN CAST(f.size AS bigint)
                WHEN f.type <> 1 AND f.max_size > 0 THEN CAST(f.max_size AS bigint)
           END) AS limit_pages
     , SUM(CASE WHEN f.type <> 1 AND f.growth <> 0 AND f.max_size = -1 THEN 1 ELSE 0 END) AS unlimited
  FROM sys.database_files AS f
