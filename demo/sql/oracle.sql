-- The accounts of a payroll system on Oracle 19c, as statements of DDL.
-- :password is a new secret each time.

-- Profiles
CREATE PROFILE people LIMIT FAILED_LOGIN_ATTEMPTS 5 PASSWORD_LIFE_TIME 90 PASSWORD_REUSE_MAX 24 PASSWORD_REUSE_TIME 400 PASSWORD_VERIFY_FUNCTION ora12c_strong_verify_function SESSIONS_PER_USER 5 INACTIVE_ACCOUNT_TIME 90;

-- The schema and its roles
CREATE USER payroll IDENTIFIED BY :password PROFILE people QUOTA UNLIMITED ON users;
CREATE TABLE payroll.salaries;
CREATE TABLE payroll.employees;
CREATE TABLE payroll.bank_accounts;
CREATE SEQUENCE payroll.payslip_numbers;
CREATE PACKAGE payroll.pay_run;
CREATE ROLE payroll_read;
CREATE ROLE payroll_write;
GRANT SELECT ON payroll.employees TO payroll_read;
GRANT SELECT ON payroll.salaries TO payroll_read;
GRANT INSERT, UPDATE, DELETE ON payroll.salaries TO payroll_write;
GRANT EXECUTE ON payroll.pay_run TO payroll_write;
GRANT payroll_read TO payroll_write;

-- The chain: export -> reporting -> platform -> DBA
CREATE ROLE platform_ops;
CREATE ROLE reporting_team;
GRANT dba TO platform_ops;
GRANT platform_ops TO reporting_team;
CREATE USER svc_export IDENTIFIED BY :password PROFILE people;
GRANT CREATE SESSION TO svc_export;
GRANT reporting_team TO svc_export;

-- Applications and services
CREATE USER payroll_app IDENTIFIED BY :password PROFILE people;
GRANT CREATE SESSION, payroll_write TO payroll_app;
CREATE USER portal IDENTIFIED BY :password;
GRANT CREATE SESSION TO portal;
GRANT SELECT, UPDATE (iban) ON payroll.bank_accounts TO portal WITH GRANT OPTION;
CREATE USER svc_etl IDENTIFIED BY :password PROFILE people;
GRANT CREATE SESSION, SELECT ANY TABLE TO svc_etl;
CREATE USER svc_backup IDENTIFIED BY :password;
GRANT CREATE SESSION TO svc_backup;
GRANT SYSBACKUP TO svc_backup;
CREATE USER svc_batch IDENTIFIED BY :password DEFAULT TABLESPACE SYSTEM QUOTA UNLIMITED ON SYSTEM;
GRANT CREATE SESSION, CREATE ANY PROCEDURE, CREATE EXTERNAL JOB TO svc_batch;
CREATE USER gateway IDENTIFIED BY :password;
GRANT CREATE SESSION TO gateway;
ALTER USER payroll GRANT CONNECT THROUGH gateway;

-- People
CREATE USER li_wei IDENTIFIED BY :password PROFILE people;
GRANT CREATE SESSION, payroll_read TO li_wei;
CREATE USER anna_schmidt IDENTIFIED BY :password PROFILE people;
GRANT CREATE SESSION TO anna_schmidt;
GRANT payroll_write TO anna_schmidt WITH ADMIN OPTION;
CREATE USER "O'Brien" IDENTIFIED BY :password PROFILE people ACCOUNT LOCK;
GRANT payroll_read TO "O'Brien";
CREATE USER auditor IDENTIFIED BY :password PROFILE people PASSWORD EXPIRE;
GRANT CREATE SESSION, SELECT ANY DICTIONARY TO auditor;
CREATE USER contractor_2019 IDENTIFIED BY :password;
GRANT CREATE SESSION, payroll_write TO contractor_2019;
CREATE USER ops$cron IDENTIFIED EXTERNALLY;
GRANT CREATE SESSION TO ops$cron;

-- Administrators, and what was left behind
CREATE USER dba_chen IDENTIFIED BY :password PROFILE people;
GRANT dba TO dba_chen;
CREATE USER dba_novak IDENTIFIED BY :password PROFILE people;
GRANT CREATE SESSION TO dba_novak;
GRANT dba TO dba_novak;
ALTER USER dba_novak DEFAULT ROLE ALL EXCEPT dba;
CREATE USER scott IDENTIFIED BY tiger;
GRANT CONNECT, RESOURCE, UNLIMITED TABLESPACE TO scott;
CREATE USER test IDENTIFIED BY :password;
GRANT CREATE SESSION, GRANT ANY PRIVILEGE TO test;
CREATE PUBLIC DATABASE LINK old_erp CONNECT TO erp_admin IDENTIFIED BY :password;
