SELECT /*f.*/0 AS con_id
     , f.tablespace_name
     , sum(f.bytes)
  FROM sys.dba_free_space f
 GROUP BY /*cdb f.con_id,*/ f.tablespace_name
