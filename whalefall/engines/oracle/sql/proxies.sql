-- Who may log in as whom. Read from DBA_PROXIES, which PROXY_USERS shows less of.
SELECT /*x.*/0 AS con_id
     , x.proxy
     , x.client
     , x.authentication
     , x.authorization_constraint
     , x.role
  FROM sys.dba_proxies x
 ORDER BY 1, 2, 3, 6
