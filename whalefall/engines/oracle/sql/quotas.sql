-- max_bytes: -1 is no limit.
SELECT /*q.*/0 AS con_id
     , q.username
     , q.tablespace_name
     , q.max_bytes
  FROM sys.dba_ts_quotas q
 ORDER BY 1, 2, 3
