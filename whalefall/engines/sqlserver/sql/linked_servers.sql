-- Linked servers that log in over there as somebody fixed; local principal 0 is everybody.
SELECT s.name, l.local_principal_id, l.remote_name
  FROM sys.servers AS s
  JOIN sys.linked_logins AS l ON l.server_id = s.server_id
 WHERE s.is_linked = 1 AND l.uses_self_credential = 0 AND l.remote_name IS NOT NULL
 ORDER BY s.name, l.local_principal_id
