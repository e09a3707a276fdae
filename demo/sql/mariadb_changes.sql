-- What happened overnight: a GRANT, a REVOKE, a new account and a dropped one.
GRANT DELETE, DROP ON shop.* TO 'shop_api'@'10.20.%';
REVOKE FILE ON *.* FROM 'svc_etl'@'10.24.%';
CREATE USER 'intern_jo'@'%' IDENTIFIED BY :password;
GRANT platform_ops TO 'intern_jo'@'%';
SET DEFAULT ROLE platform_ops FOR 'intern_jo'@'%';
DROP USER 'contractor_2019'@'%';
