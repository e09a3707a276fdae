-- What happened overnight: a GRANT, a REVOKE, a new role and a dropped one.
GRANT pg_write_all_data TO billing_app;
REVOKE pg_write_server_files FROM svc_etl;
CREATE ROLE intern_jo LOGIN PASSWORD :password;
GRANT break_glass TO intern_jo;
DROP ROLE auditor;
