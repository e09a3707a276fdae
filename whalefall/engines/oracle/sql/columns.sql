SELECT /*g.*/0 AS con_id
     , g.grantee
     , g.privilege
     , g.owner
     , g.table_name
     , g.column_name
     , g.grantable
     , g.grantor
     , g.common -- pragma: >= 120100
     , 'NO' -- pragma: < 120100
  FROM sys.dba_col_privs g
--cdb WHERE g.common = 'NO' OR g.con_id = 1
 ORDER BY 1, 2, 4, 5, 6, 3
