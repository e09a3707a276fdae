-- Some tables and views of one database, to ask about.
SELECT TOP ({objects}) s.name AS schema_name
     , o.name AS object_name
  FROM {database}.sys.objects AS o
  JOIN {database}.sys.schemas AS s ON s.schema_id = o.schema_id
 WHERE o.type IN (N'U', N'V') AND o.is_ms_shipped = 0
 ORDER BY o.object_id
