-- From 10.4 on mysql.user is only a view of this table, and one that leaves out what is in the JSON.
SELECT g.*, CURRENT_USER() AS reads_as FROM mysql.global_priv g ORDER BY User, Host -- pragma: >= 100400
SELECT u.*, CURRENT_USER() AS reads_as FROM mysql.user u ORDER BY User, Host -- pragma: < 100400
