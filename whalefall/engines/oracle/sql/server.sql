-- Who we are, where, and since when days begin there: answered to everybody.
SELECT sys_context('USERENV', 'SESSION_USER')
     , sys_context('USERENV', 'DB_NAME')
     , sys_context('USERENV', 'CON_NAME') -- pragma: >= 120100
     , NULL -- pragma: < 120100
     , sys_context('USERENV', 'NETWORK_PROTOCOL')
     , sys_context('USERENV', 'DATABASE_ROLE')
     , to_char(systimestamp, 'TZH:TZM')
     , (SELECT max(p.version_full) FROM sys.product_component_version p WHERE p.product LIKE 'Oracle%') -- pragma: >= 180000
     , (SELECT max(p.version) FROM sys.product_component_version p WHERE p.product LIKE 'Oracle%') -- pragma: < 180000
  FROM sys.dual
