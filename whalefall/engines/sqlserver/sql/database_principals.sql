-- The users and roles of one database. authentication_type: 0 none, 1 login, 2 own password,
-- 3 Windows, 4 Entra ID.
SELECT p.principal_id
     , p.name
     , p.type
     , p.sid
     , p.authentication_type
     , p.is_fixed_role
     , p.owning_principal_id
     , p.default_schema_name
  FROM {database}.sys.database_principals AS p
 ORDER BY p.principal_id
