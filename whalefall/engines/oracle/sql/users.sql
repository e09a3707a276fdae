SELECT /*u.*/0 AS con_id
     , u.username
     , u.account_status
     , u.lock_date
     , u.expiry_date
     , u.created
     , u.profile
     , u.authentication_type
     , u.default_tablespace
     , u.password_versions
     , u.common -- pragma: >= 120100
     , NULL -- pragma: < 120100
     , u.oracle_maintained -- pragma: >= 120100
     , NULL -- pragma: < 120100
     , sys_extract_utc(u.last_login) -- pragma: >= 120100
     , NULL -- pragma: < 120100
     , u.password_change_date -- pragma: >= 120200
     , NULL -- pragma: < 120200
  FROM sys.dba_users u
 ORDER BY 1, 2
