-- Who was granted which role, and (is_default = 1) which of them a login starts with.
SELECT TO_USER, TO_HOST, FROM_USER, FROM_HOST, WITH_ADMIN_OPTION = 'Y', 0 AS is_default
FROM mysql.role_edges
UNION ALL
SELECT USER, HOST, DEFAULT_ROLE_USER, DEFAULT_ROLE_HOST, 0, 1
FROM mysql.default_roles
ORDER BY 1, 2, 3, 4, 6
