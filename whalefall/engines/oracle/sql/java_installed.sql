SELECT r.comp_id
  FROM sys.dba_registry r
 WHERE r.comp_id = 'JAVAVM'
