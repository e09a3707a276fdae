-- Every database: may it be entered, may its definitions be read, and what makes it dangerous?
SELECT d.name
     , d.owner_sid
     , SUSER_SNAME(d.owner_sid) AS owner_name
     , d.state_desc
     , d.user_access_desc
     , d.is_trustworthy_on
     , d.is_db_chaining_on
     , d.containment
     , HAS_DBACCESS(d.name) AS may_enter
     , d.collation_name
     , d.recovery_model_desc
  FROM sys.databases AS d
 ORDER BY d.database_id
