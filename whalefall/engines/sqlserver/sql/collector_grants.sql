-- The least rights that WhaleFall's collector needs on SQL Server. Run as a sysadmin in master.
-- Replace the password first; the collector may not change it itself.
IF SUSER_ID({name}) IS NULL
  CREATE LOGIN {login} WITH PASSWORD = N'<password>', CHECK_POLICY = ON, CHECK_EXPIRATION = OFF;

-- Logins, roles, permissions and users of all databases: without it the server shows fewer rows,
-- and does not say so.
GRANT VIEW ANY DEFINITION TO {login};
-- Sizes of tables, free space in files and on volumes.
GRANT VIEW SERVER STATE TO {login};
-- Enter every database without a user in each. -- pragma: >= 12
GRANT CONNECT ANY DATABASE TO {login}; -- pragma: >= 12
-- SQL Server 2012 has no CONNECT ANY DATABASE: a user in each database, also in new ones. -- pragma: < 12
DECLARE @sql nvarchar(max) = N''; -- pragma: < 12
SELECT @sql += N'USE ' + QUOTENAME(name) + N'; IF USER_ID({inner}) IS NULL CREATE USER {login_inner};' -- pragma: < 12
  FROM sys.databases WHERE state = 0 AND name <> N'tempdb'; -- pragma: < 12
EXEC (@sql) -- pragma: < 12

-- Not needed, and better not given: CONTROL SERVER, which alone lets passwords be compared with
-- blank ones. Without it the rules about blank passwords answer "unknown".
