-- The accounts of a web shop that has grown for ten years, on MariaDB 10.11.
-- Statements end with a semicolon at the end of a line; :password is a new secret each time.

-- Databases
CREATE DATABASE shop;
CREATE DATABASE warehouse;
CREATE DATABASE reporting;
CREATE TABLE shop.customers (id INT PRIMARY KEY, name VARCHAR(100), email VARCHAR(200), iban VARCHAR(34), birthday DATE);
CREATE TABLE shop.orders (id INT PRIMARY KEY, customer INT, total DECIMAL(10, 2), placed DATETIME);
CREATE TABLE shop.payments (id INT PRIMARY KEY, order_id INT, amount DECIMAL(10, 2), card_token VARCHAR(64));
CREATE TABLE warehouse.stock (sku VARCHAR(20) PRIMARY KEY, amount INT, shelf VARCHAR(10));
CREATE TABLE warehouse.deliveries (id INT PRIMARY KEY, sku VARCHAR(20), arrived DATETIME);
CREATE TABLE reporting.daily_revenue (day DATE PRIMARY KEY, revenue DECIMAL(12, 2));
CREATE PROCEDURE shop.refund_order(IN wanted INT) SQL SECURITY DEFINER UPDATE shop.payments SET amount = 0 WHERE order_id = wanted;
CREATE FUNCTION warehouse.free_shelves() RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM warehouse.stock WHERE amount = 0);

-- Roles, the harmless ones. A circle (GRANT shop_write TO shop_read) is refused by MariaDB, as it is
-- by PostgreSQL and MySQL; a role reached on two ways (reporting_team -> shop_read) is not.
CREATE ROLE shop_read;
CREATE ROLE shop_write;
CREATE ROLE warehouse_read;
CREATE ROLE reporting_read;
GRANT SELECT ON shop.* TO shop_read;
GRANT shop_read TO shop_write;
GRANT INSERT, UPDATE, DELETE ON shop.* TO shop_write;
GRANT SELECT ON warehouse.* TO warehouse_read;
GRANT SELECT ON reporting.* TO reporting_read;
GRANT shop_read TO reporting_read;

-- The chain nobody sees in one SHOW GRANTS: invoice mail -> reporting -> platform -> emergency
CREATE ROLE emergency_dba;
CREATE ROLE platform_ops;
CREATE ROLE reporting_team;
GRANT SUPER, FILE, CREATE USER, RELOAD, PROCESS, SHUTDOWN, SELECT, UPDATE ON *.* TO emergency_dba;
GRANT emergency_dba TO platform_ops;
GRANT platform_ops TO reporting_team;
GRANT reporting_read TO reporting_team;
GRANT shop_read TO reporting_team;
CREATE USER 'svc_invoice_mail'@'10.20.30.40' IDENTIFIED BY :password REQUIRE SSL;
GRANT reporting_team TO 'svc_invoice_mail'@'10.20.30.40';
SET DEFAULT ROLE reporting_team FOR 'svc_invoice_mail'@'10.20.30.40';

-- Applications
CREATE USER 'shop_web'@'10.20.%' IDENTIFIED BY :password REQUIRE SSL;
GRANT shop_write TO 'shop_web'@'10.20.%';
SET DEFAULT ROLE shop_write FOR 'shop_web'@'10.20.%';
CREATE USER 'shop_api'@'10.20.%' IDENTIFIED BY :password REQUIRE SSL;
GRANT SELECT, INSERT, UPDATE ON shop.orders TO 'shop_api'@'10.20.%';
GRANT SELECT ON shop.customers TO 'shop_api'@'10.20.%';
CREATE USER 'shop_cart'@'%' IDENTIFIED BY :password;
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO 'shop_cart'@'%';
CREATE USER 'warehouse_app'@'10.21.0.0/255.255.0.0' IDENTIFIED BY :password;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES, EXECUTE ON warehouse.* TO 'warehouse_app'@'10.21.0.0/255.255.0.0';
CREATE USER 'cms'@'%' IDENTIFIED BY :password;
GRANT ALL PRIVILEGES ON `cms\_%`.* TO 'cms'@'%' WITH GRANT OPTION;
CREATE USER 'legacy_erp'@'%' IDENTIFIED BY :password;
GRANT ALL PRIVILEGES ON *.* TO 'legacy_erp'@'%';

-- Services
CREATE USER 'svc_backup'@'localhost' IDENTIFIED BY :password;
GRANT SELECT, LOCK TABLES, RELOAD, SHOW VIEW, EVENT, TRIGGER ON *.* TO 'svc_backup'@'localhost';
CREATE USER 'svc_replica'@'10.22.%' IDENTIFIED BY :password REQUIRE SSL;
GRANT REPLICATION SLAVE ON *.* TO 'svc_replica'@'10.22.%';
CREATE USER 'svc_replica_old'@'%' IDENTIFIED BY :password;
GRANT REPLICATION SLAVE, SUPER ON *.* TO 'svc_replica_old'@'%';
CREATE USER 'svc_monitor'@'10.23.0.5' IDENTIFIED BY :password REQUIRE SSL;
GRANT PROCESS, REPLICATION CLIENT ON *.* TO 'svc_monitor'@'10.23.0.5';
CREATE USER 'svc_etl'@'10.24.%' IDENTIFIED BY :password;
GRANT FILE ON *.* TO 'svc_etl'@'10.24.%';
GRANT SELECT ON shop.* TO 'svc_etl'@'10.24.%';
CREATE USER 'svc_import'@'%' IDENTIFIED BY '';
GRANT INSERT ON warehouse.deliveries TO 'svc_import'@'%';

-- People
CREATE USER 'li.wei'@'%' IDENTIFIED BY :password REQUIRE SSL;
GRANT reporting_read TO 'li.wei'@'%';
SET DEFAULT ROLE reporting_read FOR 'li.wei'@'%';
CREATE USER 'anna.schmidt'@'10.%' IDENTIFIED BY :password REQUIRE SSL;
GRANT warehouse_read TO 'anna.schmidt'@'10.%' WITH ADMIN OPTION;
CREATE USER 'support_desk'@'10.25.%' IDENTIFIED BY :password REQUIRE SSL;
GRANT SELECT (id, name, email) ON shop.customers TO 'support_desk'@'10.25.%';
GRANT UPDATE (email) ON shop.customers TO 'support_desk'@'10.25.%';
GRANT EXECUTE ON PROCEDURE shop.refund_order TO 'support_desk'@'10.25.%';
CREATE USER 'o''brien'@'10.%' IDENTIFIED BY :password PASSWORD EXPIRE;
GRANT shop_read TO 'o''brien'@'10.%';
CREATE USER 'former.employee'@'%' IDENTIFIED BY :password ACCOUNT LOCK;
GRANT shop_write TO 'former.employee'@'%';
CREATE USER 'contractor_2019'@'%' IDENTIFIED BY :password PASSWORD EXPIRE NEVER;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER ON *.* TO 'contractor_2019'@'%';

-- Administrators
CREATE USER 'dba_chen'@'10.1.%' IDENTIFIED BY :password REQUIRE SSL;
GRANT ALL PRIVILEGES ON *.* TO 'dba_chen'@'10.1.%' WITH GRANT OPTION;
CREATE USER 'dba_novak'@'10.1.%' IDENTIFIED BY :password REQUIRE SSL;
GRANT emergency_dba TO 'dba_novak'@'10.1.%';
CREATE USER 'admin'@'%' IDENTIFIED BY :password;
GRANT ALL PRIVILEGES ON *.* TO 'admin'@'%' WITH GRANT OPTION;
GRANT PROXY ON 'dba_chen'@'10.1.%' TO 'dba_novak'@'10.1.%';

-- Nobody in particular
CREATE USER ''@'localhost';
GRANT SELECT ON reporting.* TO ''@'localhost';
GRANT SELECT ON warehouse.stock TO PUBLIC;
