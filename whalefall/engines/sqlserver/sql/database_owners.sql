-- Who owns schemas, objects with an owner of their own, and assemblies of one database.
SELECT s.principal_id, N'schema' AS kind, s.name AS schema_name
     , CAST(NULL AS nvarchar(128)) AS target_name, CAST(NULL AS nvarchar(2)) AS target_type
     , CAST(NULL AS nvarchar(60)) AS permission_set
  FROM {database}.sys.schemas AS s
 WHERE s.schema_id NOT IN (3, 4) AND s.schema_id < 16384
UNION ALL
SELECT o.principal_id, N'object', s.name, o.name, o.type, NULL
  FROM {database}.sys.all_objects AS o
  JOIN {database}.sys.schemas AS s ON s.schema_id = o.schema_id
 WHERE o.principal_id IS NOT NULL AND o.object_id > 0
UNION ALL
SELECT a.principal_id, N'assembly', NULL, a.name, NULL, a.permission_set_desc
  FROM {database}.sys.assemblies AS a
 WHERE a.assembly_id > 65535
