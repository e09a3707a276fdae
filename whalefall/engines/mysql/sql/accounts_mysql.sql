-- Every column: they come and go with the version, account_locked and User_attributes among them.
SELECT * FROM mysql.user ORDER BY User, Host
