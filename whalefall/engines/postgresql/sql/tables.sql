-- Tables and materialized views with their sizes. A row count of -1 (14+), or 0 pages before, means
-- that the table was never analyzed.
SELECT n.nspname::text
     , c.relname::text
     , pg_catalog.pg_table_size(c.oid)
     , pg_catalog.pg_indexes_size(c.oid)
     , CASE WHEN c.reltuples >= 0 AND (c.relpages > 0 OR c.reltuples > 0)
            THEN c.reltuples::pg_catalog.int8 END
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm')
   AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
 ORDER BY n.nspname, c.relname
