-- Permissions on the server, on logins and server roles, endpoints, availability groups. States:
-- G granted, W granted with grant option, D denied, R revoked.
SELECT x.class
     , x.grantee_principal_id
     , x.grantor_principal_id
     , x.permission_name
     , x.state
     , COALESCE(p.name, e.name) AS target_name
     , p.type AS target_type
  FROM sys.server_permissions AS x
  LEFT JOIN sys.server_principals AS p ON x.class = 101 AND p.principal_id = x.major_id
  LEFT JOIN sys.endpoints AS e ON x.class = 105 AND e.endpoint_id = x.major_id
 ORDER BY x.grantee_principal_id, x.class, x.major_id, x.permission_name
