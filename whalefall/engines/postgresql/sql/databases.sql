-- Every database: may it be connected to, and by us?
SELECT d.datname
     , d.datallowconn
     , d.datconnlimit
     , pg_catalog.has_database_privilege(d.oid, 'CONNECT')
  FROM pg_catalog.pg_database d
 ORDER BY d.datname
