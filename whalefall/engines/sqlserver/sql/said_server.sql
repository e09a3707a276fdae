-- What the login that asks may do on the server, as the server sees it.
SELECT p.permission_name
  FROM sys.fn_my_permissions(NULL, N'SERVER') AS p
