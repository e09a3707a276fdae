-- Which roles and system privileges each user was granted by any path, worked out by the server.
-- A role cannot be granted to itself, also not through others (ORA-01934): the recursion ends.
WITH granted (grantee, name) AS (
       SELECT p.grantee
            , p.granted_role
         FROM sys.dba_role_privs p
        UNION ALL
       SELECT g.grantee
            , p.granted_role
         FROM granted g
         JOIN sys.dba_role_privs p ON p.grantee = g.name
     )
SELECT g.grantee
     , 'role'
     , g.name
  FROM granted g
  JOIN sys.dba_users u ON u.username = g.grantee
 UNION
SELECT g.grantee
     , 'system'
     , s.privilege
  FROM granted g
  JOIN sys.dba_users u ON u.username = g.grantee
  JOIN sys.dba_sys_privs s ON s.grantee = g.name
 UNION
SELECT s.grantee
     , 'system'
     , s.privilege
  FROM sys.dba_sys_privs s
  JOIN sys.dba_users u ON u.username = s.grantee
 ORDER BY 1, 2, 3
