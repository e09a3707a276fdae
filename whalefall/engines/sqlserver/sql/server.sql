-- What the server is, who reads it, and what that login may read on it. A permission that this
-- version does not know gives NULL.
SELECT CAST(SERVERPROPERTY(N'ProductVersion') AS nvarchar(128)) AS product_version
     , CAST(SERVERPROPERTY(N'Edition') AS nvarchar(128)) AS edition
     , CAST(SERVERPROPERTY(N'EngineEdition') AS int) AS engine_edition
     , CAST(SERVERPROPERTY(N'IsIntegratedSecurityOnly') AS int) AS windows_only
     , CAST(SERVERPROPERTY(N'MachineName') AS nvarchar(128)) AS machine
     , SUSER_SNAME() AS login_name
     , DB_NAME() AS database_name
     , HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DEFINITION') AS views_definition
     , HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE') AS views_state
     , HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DATABASE') AS lists_databases
     , HAS_PERMS_BY_NAME(NULL, NULL, N'CONTROL SERVER') AS controls
     , DATEDIFF(minute, GETUTCDATE(), GETDATE()) AS minutes_east
