-- Permissions in one database, with the names of what they are on, from the same database. What
-- public may do with the product's own views and procedures is left out, extended procedures apart.
SELECT x.class
     , x.grantee_principal_id
     , x.grantor_principal_id
     , x.permission_name
     , x.state
     , s.name AS schema_name
     , COALESCE(o.name, t.name, p.name, a.name, k.name, c.name, y.name) AS target_name
     , COALESCE(o.type, p.type) AS target_type
     , l.name AS column_name
     , CASE WHEN x.class = 1 AND m.execute_as_principal_id IS NOT NULL THEN 1 ELSE 0 END AS executes_as
     , a.permission_set_desc
  FROM {database}.sys.database_permissions AS x
  LEFT JOIN {database}.sys.all_objects AS o ON x.class = 1 AND o.object_id = x.major_id
  LEFT JOIN {database}.sys.all_columns AS l ON x.class = 1 AND x.minor_id <> 0
        AND l.object_id = x.major_id AND l.column_id = x.minor_id
  LEFT JOIN {database}.sys.sql_modules AS m ON x.class = 1 AND m.object_id = x.major_id
  LEFT JOIN {database}.sys.types AS t ON x.class = 6 AND t.user_type_id = x.major_id
  LEFT JOIN {database}.sys.schemas AS s ON s.schema_id =
            CASE x.class WHEN 1 THEN o.schema_id WHEN 3 THEN x.major_id WHEN 6 THEN t.schema_id END
  LEFT JOIN {database}.sys.database_principals AS p ON x.class = 4 AND p.principal_id = x.major_id
  LEFT JOIN {database}.sys.assemblies AS a ON x.class = 5 AND a.assembly_id = x.major_id
  LEFT JOIN {database}.sys.symmetric_keys AS k ON x.class = 24 AND k.symmetric_key_id = x.major_id
  LEFT JOIN {database}.sys.certificates AS c ON x.class = 25 AND c.certificate_id = x.major_id
  LEFT JOIN {database}.sys.asymmetric_keys AS y ON x.class = 26 AND y.asymmetric_key_id = x.major_id
 WHERE NOT (x.grantee_principal_id = 0 AND x.class = 1 AND x.major_id < 0
            AND (o.type IS NULL OR o.type <> N'X'))
 ORDER BY x.grantee_principal_id, x.class, x.major_id, x.minor_id, x.permission_name
