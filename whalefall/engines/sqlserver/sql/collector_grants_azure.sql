-- Azure SQL Database: run in the database that the instance names, as its administrator.
IF USER_ID({name}) IS NULL
  CREATE USER {login} WITH PASSWORD = N'<password>';
GRANT VIEW DEFINITION TO {login};
GRANT VIEW DATABASE STATE TO {login};
