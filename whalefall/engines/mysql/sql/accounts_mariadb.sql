-- From 10.4 on mysql.user is only a view of this table, and one that leaves out what is in the JSON.
SELECT * FROM mysql.global_priv ORDER BY User, Host -- pragma: >= 100400
SELECT * FROM mysql.user ORDER BY User, Host -- pragma: < 100400
