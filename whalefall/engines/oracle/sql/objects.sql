-- Privileges on objects; most rows are PUBLIC's. Which kind of object it is the view tells since 12.1.
SELECT /*g.*/0 AS con_id
     , g.grantee
     , g.privilege
     , g.owner
     , g.table_name
     , g.type -- pragma: >= 120100
     , NULL -- pragma: < 120100
     , g.grantable
     , g.hierarchy
     , g.grantor
     , g.common -- pragma: >= 120100
     , 'NO' -- pragma: < 120100
  FROM sys.dba_tab_privs g
--cdb WHERE g.common = 'NO' OR g.con_id = 1
 ORDER BY 1, 2, 4, 5, 3
