-- pg_hba.conf as the server reads it now, in the order in which it is tried.
SELECT h.type
     , h.database
     , h.user_name
     , h.address
     , h.netmask
     , h.auth_method
     , h.error
  FROM pg_catalog.pg_hba_file_rules h
 ORDER BY h.rule_number NULLS FIRST -- pragma: >= 160000
 ORDER BY h.line_number -- pragma: < 160000
