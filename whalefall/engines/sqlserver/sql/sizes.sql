-- Databases and the sizes of their files in bytes. Sizes of files are kept in pages of 8 KB.
SELECT d.name
     , SUSER_SNAME(d.owner_sid) AS owner_name
     , d.state_desc
     , d.collation_name
     , d.recovery_model_desc
     , SUM(CASE WHEN f.type <> 1 THEN CAST(f.size AS bigint) END) AS data_pages
     , SUM(CASE WHEN f.type = 1 THEN CAST(f.size AS bigint) END) AS log_pages
  FROM sys.databases AS d
  LEFT JOIN sys.master_files AS f ON f.database_id = d.database_id
 GROUP BY d.name, d.owner_sid, d.state_desc, d.collation_name, d.recovery_model_desc
 ORDER BY d.name
