-- What the files of each tablespace take, and how far they may grow.
SELECT /*d.*/0 AS con_id
     , d.tablespace_name
     , sum(d.bytes)
     , sum(CASE WHEN d.autoextensible = 'YES' AND d.maxbytes > d.bytes THEN d.maxbytes ELSE d.bytes END)
  FROM sys.dba_data_files d
 GROUP BY /*cdb d.con_id,*/ d.tablespace_name
 UNION ALL
SELECT /*t.*/0 AS con_id
     , t.tablespace_name
     , sum(t.bytes)
     , sum(CASE WHEN t.autoextensible = 'YES' AND t.maxbytes > t.bytes THEN t.maxbytes ELSE t.bytes END)
  FROM sys.dba_temp_files t
 GROUP BY /*cdb t.con_id,*/ t.tablespace_name
