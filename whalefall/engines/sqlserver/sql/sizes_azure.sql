-- The files of this one database; Azure SQL Database has no master_files.
SELECT DB_NAME() AS name
     , CAST(NULL AS nvarchar(128)) AS owner_name
     , N'ONLINE' AS state_desc
     , CAST(NULL AS nvarchar(128)) AS collation_name
     , CAST(NULL AS nvarchar(60)) AS recovery_model_desc
     , SUM(CASE WHEN f.type <> 1 THEN CAST(f.size AS bigint) END) AS data_pages
     , SUM(CASE WHEN f.type = 1 THEN CAST(f.size AS bigint) END) AS log_pages
  FROM sys.database_files AS f
