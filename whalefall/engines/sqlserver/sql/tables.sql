-- Tables of one database: pages of 8 KB used by data (heap, clustered index, large values) and by
-- the other indexes, and the number of rows as the server keeps it.
SELECT s.name AS schema_name
     , o.name AS table_name
     , SUM(CASE WHEN t.index_id < 2 THEN t.used_page_count ELSE 0 END) AS data_pages
     , SUM(CASE WHEN t.index_id >= 2 THEN t.used_page_count ELSE 0 END) AS index_pages
     , SUM(CASE WHEN t.index_id < 2 THEN t.row_count ELSE 0 END) AS row_total
  FROM {database}.sys.dm_db_partition_stats AS t
  JOIN {database}.sys.objects AS o ON o.object_id = t.object_id
  JOIN {database}.sys.schemas AS s ON s.schema_id = o.schema_id
 WHERE o.type IN (N'U', N'V') AND o.is_ms_shipped = 0
 GROUP BY s.name, o.name
 ORDER BY s.name, o.name
