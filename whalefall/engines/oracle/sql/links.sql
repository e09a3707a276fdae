-- Database links, and what is left of an upgrade from before 12c.
SELECT /*l.*/0 AS con_id
     , l.owner
     , l.db_link
     , l.username
     , 'link'
  FROM sys.dba_db_links l
 UNION ALL
SELECT /*t.*/0 AS con_id
     , t.owner
     , t.table_name
     , NULL
     , 'leftover'
  FROM sys.dba_tables t
 WHERE t.owner = 'SYS'
   AND t.table_name = 'USER$MIG'
