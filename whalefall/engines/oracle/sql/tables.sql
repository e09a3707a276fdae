-- Tables with a segment in one tablespace; indexes and LOBs count for their table.
SELECT z.owner
     , z.table_name
     , sum(z.data_bytes)
     , sum(z.index_bytes)
     , max(t.num_rows)
  FROM (
         SELECT s.owner, s.segment_name AS table_name, s.bytes AS data_bytes, 0 AS index_bytes
           FROM sys.dba_segments s
          WHERE s.tablespace_name = :tablespace AND s.segment_type LIKE 'TABLE%' /*cdb AND s.con_id = :con_id*/
          UNION ALL
         SELECT i.table_owner, i.table_name, 0, s.bytes
           FROM sys.dba_segments s
           JOIN sys.dba_indexes i ON i.owner = s.owner AND i.index_name = s.segment_name /*cdb AND i.con_id = s.con_id*/
          WHERE s.tablespace_name = :tablespace AND s.segment_type LIKE 'INDEX%' /*cdb AND s.con_id = :con_id*/
          UNION ALL
         SELECT l.owner, l.table_name, s.bytes, 0
           FROM sys.dba_segments s
           JOIN sys.dba_lobs l ON l.owner = s.owner AND l.segment_name = s.segment_name /*cdb AND l.con_id = s.con_id*/
          WHERE s.tablespace_name = :tablespace AND s.segment_type LIKE 'LOB%' /*cdb AND s.con_id = :con_id*/
       ) z
  LEFT JOIN sys.dba_tables t ON t.owner = z.owner AND t.table_name = z.table_name /*cdb AND t.con_id = :con_id*/
 GROUP BY z.owner, z.table_name
 ORDER BY z.owner, z.table_name
