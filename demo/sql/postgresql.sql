-- The accounts of a billing platform on PostgreSQL 18.
-- \connect changes the database, as in psql; :password is a new secret each time.

-- Owners and groups
CREATE ROLE billing_owner NOLOGIN;
CREATE ROLE billing_read NOLOGIN;
CREATE ROLE billing_write NOLOGIN;
CREATE ROLE analytics_read NOLOGIN;
CREATE ROLE analytics_write NOLOGIN;
GRANT billing_read TO billing_write;
GRANT billing_read TO analytics_read;
GRANT analytics_read TO analytics_write;
CREATE DATABASE billing OWNER billing_owner;
CREATE DATABASE analytics;

-- The chain: metrics -> observability -> platform -> break glass
CREATE ROLE break_glass NOLOGIN CREATEROLE;
CREATE ROLE platform_ops NOLOGIN;
CREATE ROLE observability NOLOGIN;
GRANT pg_execute_server_program, pg_read_all_data, pg_signal_backend TO break_glass;
GRANT break_glass TO platform_ops;
GRANT platform_ops TO observability;
GRANT pg_monitor TO observability;
CREATE ROLE svc_metrics LOGIN PASSWORD :password;
GRANT observability TO svc_metrics;

-- Applications
CREATE ROLE billing_app LOGIN PASSWORD :password CONNECTION LIMIT 40;
GRANT billing_write TO billing_app;
CREATE ROLE invoice_api LOGIN PASSWORD :password CONNECTION LIMIT 20;
CREATE ROLE portal LOGIN PASSWORD :password;
CREATE ROLE legacy_sync LOGIN SUPERUSER PASSWORD :password;
CREATE ROLE tenant_app LOGIN PASSWORD :password BYPASSRLS;

-- Services
CREATE ROLE svc_backup LOGIN PASSWORD :password;
GRANT pg_read_all_data TO svc_backup;
CREATE ROLE svc_replica LOGIN REPLICATION PASSWORD :password;
CREATE ROLE svc_etl LOGIN PASSWORD :password;
GRANT analytics_write TO svc_etl;
GRANT pg_read_server_files, pg_write_server_files TO svc_etl;
CREATE ROLE svc_migrations LOGIN CREATEDB PASSWORD :password;
GRANT billing_owner TO svc_migrations;
CREATE ROLE svc_cron LOGIN PASSWORD :password VALID UNTIL '2024-12-31';
GRANT billing_write TO svc_cron;

-- People
CREATE ROLE "li.wei" LOGIN PASSWORD :password VALID UNTIL '2031-01-01';
GRANT analytics_read TO "li.wei";
CREATE ROLE "anna.schmidt" LOGIN PASSWORD :password;
GRANT analytics_write TO "anna.schmidt" WITH ADMIN OPTION;
CREATE ROLE "o'brien" LOGIN PASSWORD :password CONNECTION LIMIT 0;
GRANT billing_read TO "o'brien";
CREATE ROLE "José Álvarez" LOGIN PASSWORD :password;
GRANT break_glass TO "José Álvarez" WITH INHERIT FALSE, SET TRUE;
CREATE ROLE former_employee NOLOGIN PASSWORD :password;
GRANT billing_write TO former_employee;
CREATE ROLE auditor LOGIN PASSWORD :password;
GRANT pg_read_all_settings TO auditor;

-- Administrators
CREATE ROLE dba_chen LOGIN SUPERUSER PASSWORD :password;
CREATE ROLE dba_novak LOGIN CREATEROLE CREATEDB PASSWORD :password VALID UNTIL '2031-01-01';
CREATE ROLE test LOGIN SUPERUSER PASSWORD :password;

-- Objects
\connect billing
CREATE SCHEMA invoicing AUTHORIZATION billing_owner;
SET ROLE billing_owner;
CREATE TABLE invoicing.invoices (id int PRIMARY KEY, customer text, amount numeric, due date);
CREATE TABLE invoicing.customers (id int PRIMARY KEY, name text, email text, tax_id text);
CREATE TABLE invoicing.rates (country text PRIMARY KEY, vat numeric);
CREATE SEQUENCE invoicing.invoice_numbers;
CREATE FUNCTION invoicing.write_off(invoice int) RETURNS void LANGUAGE sql SECURITY DEFINER AS 'UPDATE invoicing.invoices SET amount = 0 WHERE id = invoice';
CREATE FUNCTION invoicing.next_number() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT nextval(''invoicing.invoice_numbers'')';
REVOKE EXECUTE ON FUNCTION invoicing.next_number() FROM PUBLIC;
GRANT USAGE ON SCHEMA invoicing TO billing_read, invoice_api, portal;
GRANT SELECT ON ALL TABLES IN SCHEMA invoicing TO billing_read;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA invoicing TO billing_write;
GRANT USAGE ON SEQUENCE invoicing.invoice_numbers TO billing_write;
GRANT EXECUTE ON FUNCTION invoicing.next_number() TO invoice_api;
GRANT SELECT, INSERT ON invoicing.invoices TO invoice_api WITH GRANT OPTION;
GRANT SELECT (id, name), UPDATE (email) ON invoicing.customers TO portal;
GRANT SELECT ON invoicing.rates TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE billing_owner IN SCHEMA invoicing GRANT SELECT ON TABLES TO billing_read;
ALTER DEFAULT PRIVILEGES FOR ROLE billing_owner GRANT INSERT ON TABLES TO PUBLIC;
RESET ROLE;
CREATE TABLE invoicing.portal_sessions (id uuid PRIMARY KEY, seen timestamptz);
ALTER TABLE invoicing.portal_sessions OWNER TO portal;
REVOKE CONNECT ON DATABASE billing FROM PUBLIC;
GRANT CONNECT ON DATABASE billing TO billing_read, invoice_api, portal, svc_metrics;

\connect analytics
GRANT CREATE ON SCHEMA public TO PUBLIC;
CREATE TABLE public.revenue (day date PRIMARY KEY, amount numeric);
CREATE TABLE public.scratch (note text);
GRANT SELECT ON public.revenue TO analytics_read;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.revenue TO analytics_write;
GRANT ALL ON public.scratch TO PUBLIC;
