-- Every column: they come and go with the version, account_locked and User_attributes among them.
SELECT u.*, CURRENT_USER() AS reads_as FROM mysql.user u ORDER BY User, Host
