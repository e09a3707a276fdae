SELECT /*t.*/0 AS con_id
     , t.tablespace_name
     , t.contents
     , t.status
  FROM sys.dba_tablespaces t
 ORDER BY 1, 2
