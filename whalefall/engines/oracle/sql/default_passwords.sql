SELECT /*d.*/0 AS con_id
     , d.username
  FROM sys.dba_users_with_defpwd d
 ORDER BY 1, 2
