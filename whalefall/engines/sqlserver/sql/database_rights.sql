-- Whether what follows in this batch is the whole of this database.
SELECT HAS_DBACCESS({name}) AS may_enter
     , HAS_PERMS_BY_NAME({quoted_name}, N'DATABASE', N'VIEW DEFINITION') AS views_definition
