CREATE USER {account} IDENTIFIED BY '<password>';
-- Accounts, memberships and privileges.
GRANT SELECT ON mysql.user TO {account}; -- pragma: < 100400
GRANT SELECT ON mysql.global_priv TO {account}; -- pragma: >= 100400
GRANT SELECT ON mysql.global_grants TO {account}; -- pragma: >= 80000, < 100000
GRANT SELECT ON mysql.role_edges TO {account}; -- pragma: >= 80000, < 100000
GRANT SELECT ON mysql.default_roles TO {account}; -- pragma: >= 80000, < 100000
GRANT SELECT ON mysql.roles_mapping TO {account}; -- pragma: >= 100000
GRANT SELECT ON mysql.db TO {account};
GRANT SELECT ON mysql.tables_priv TO {account};
GRANT SELECT ON mysql.columns_priv TO {account};
GRANT SELECT ON mysql.procs_priv TO {account};
GRANT SELECT ON mysql.proxies_priv TO {account};
-- Sizes: names of databases, statistics of tables (SHOW VIEW makes them visible without giving
-- access to their rows), sizes of InnoDB's files (PROCESS).
GRANT SHOW DATABASES, SHOW VIEW, PROCESS ON *.* TO {account};
-- Whose rights stored code runs with.
GRANT SHOW_ROUTINE ON *.* TO {account}; -- pragma: >= 80000, < 100000
GRANT SELECT ON mysql.proc TO {account}; -- pragma: < 80000
GRANT SELECT ON mysql.event TO {account}; -- pragma: < 80000
GRANT SELECT ON mysql.proc TO {account}; -- pragma: >= 100000
GRANT SELECT ON mysql.event TO {account}; -- pragma: >= 100000
