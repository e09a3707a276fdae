-- Databases and their sizes; pg_database_size fails where one may neither connect nor see statistics.
-- It fails the whole statement as well where the database was dropped since the statement began; of
-- such a one has_database_privilege is NULL, but not for superusers: so the public is asked about.
SELECT d.datname
     , pg_catalog.pg_get_userbyid(d.datdba)::text
     , CASE WHEN pg_catalog.has_database_privilege('public', d.oid, 'CONNECT') IS NOT NULL
             AND (pg_catalog.has_database_privilege(d.oid, 'CONNECT')
              OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'))
            THEN pg_catalog.pg_database_size(d.oid) END
     , d.datallowconn
     , d.datistemplate
     , pg_catalog.pg_encoding_to_char(d.encoding)::text
     , d.datcollate::text
     , t.spcname::text
  FROM pg_catalog.pg_database d
  LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
 ORDER BY d.datname
