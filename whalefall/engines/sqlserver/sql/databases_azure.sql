-- Azure SQL Database: each database stands for itself.
SELECT DB_NAME() AS name
     , CAST(NULL AS varbinary(85)) AS owner_sid
     , CAST(NULL AS nvarchar(128)) AS owner_name
     , N'ONLINE' AS state_desc
     , N'MULTI_USER' AS user_access_desc
     , CAST(0 AS bit) AS is_trustworthy_on
     , CAST(0 AS bit) AS is_db_chaining_on
     , CAST(0 AS tinyint) AS containment
     , 1 AS may_enter
     , CAST(NULL AS nvarchar(128)) AS collation_name
     , CAST(NULL AS nvarchar(60)) AS recovery_model_desc
