-- Every login and server role; the right that makes this the whole list is asked for in the same
-- statement. Password hashes are compared on the server (PWDCOMPARE) and never read; where they may
-- not be seen, the comparison is NULL.
SELECT p.principal_id
     , p.name
     , p.type
     , p.sid
     , p.is_disabled
     , p.is_fixed_role
     , p.owning_principal_id
     , p.default_database_name
     , l.is_policy_checked
     , l.is_expiration_checked
     , CAST(LOGINPROPERTY(p.name, N'IsLocked') AS int) AS locked_out
     , CAST(LOGINPROPERTY(p.name, N'IsExpired') AS int) AS expired
     , CAST(LOGINPROPERTY(p.name, N'IsMustChange') AS int) AS must_change
     , CAST(LOGINPROPERTY(p.name, N'PasswordLastSetTime') AS datetime) AS password_set
     , CASE WHEN l.password_hash IS NOT NULL THEN PWDCOMPARE(N'', l.password_hash) END AS blank_password
     , CASE WHEN l.password_hash IS NOT NULL THEN PWDCOMPARE(p.name, l.password_hash) END AS name_password
     , x.state AS connect_state
     , HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DEFINITION') AS views_definition
  FROM sys.server_principals AS p
  LEFT JOIN sys.sql_logins AS l ON l.principal_id = p.principal_id
  LEFT JOIN sys.server_permissions AS x ON x.grantee_principal_id = p.principal_id
        AND x.class = 100 AND x.type = N'COSQ'
 ORDER BY p.principal_id
