-- What happened overnight: a GRANT, a REVOKE, a new user and a dropped one.
GRANT DELETE ANY TABLE TO payroll_app;
REVOKE SELECT ANY TABLE FROM svc_etl;
CREATE USER intern_jo IDENTIFIED BY :password;
GRANT CREATE SESSION, platform_ops TO intern_jo;
DROP USER contractor_2019;
