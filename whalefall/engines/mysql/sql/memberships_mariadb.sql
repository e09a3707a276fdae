-- Who was granted which role, and (is_default = 1) the one that a login starts with.
SELECT User, Host, Role, '', Admin_option = 'Y', 0 AS is_default
FROM mysql.roles_mapping
UNION ALL
SELECT User, Host, JSON_VALUE(Priv, '$.default_role'), '', 0, 1 -- pragma: >= 100400
FROM mysql.global_priv WHERE JSON_VALUE(Priv, '$.default_role') <> '' -- pragma: >= 100400
SELECT User, Host, default_role, '', 0, 1 -- pragma: < 100400
FROM mysql.user WHERE default_role <> '' -- pragma: < 100400
ORDER BY 1, 2, 3, 4, 6
