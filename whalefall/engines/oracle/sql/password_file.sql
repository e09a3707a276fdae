SELECT 0 -- pragma: < 120100
SELECT f.con_id -- pragma: >= 120100
     , f.username
     , f.sysdba
     , f.sysoper
     , f.sysasm
     , f.sysbackup -- pragma: >= 120100
     , 'FALSE' -- pragma: < 120100
     , f.sysdg -- pragma: >= 120100
     , 'FALSE' -- pragma: < 120100
     , f.syskm -- pragma: >= 120100
     , 'FALSE' -- pragma: < 120100
  FROM sys.v_$pwfile_users f
 ORDER BY 2
