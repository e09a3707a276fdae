-- The least rights that WhaleFall's collector needs on PostgreSQL. Run as a superuser in the
-- database named on the instance (normally "postgres"), and again when databases are added. Set
-- a password afterwards, in psql with: \password {login}
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = {name}) THEN
    CREATE ROLE {login} LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION CONNECTION LIMIT 5;
  END IF;
END $$;

-- Sizes of all databases, also of those that it may not connect to.
GRANT pg_read_all_stats TO {login};

-- Grants inside a database are read from within: CONNECT on each of them. (PUBLIC has it unless
-- somebody took it away; this makes sure.)
DO $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT datname FROM pg_catalog.pg_database WHERE datallowconn LOOP
    EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO %I', name, {name});
  END LOOP;
END $$;

-- pg_hba.conf, for the rules on trust lines and on superusers that come over the network.
GRANT SELECT ON pg_catalog.pg_hba_file_rules TO {login};
GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO {login};

-- Optional, and not done here: GRANT SELECT ON pg_catalog.pg_authid TO {login};
-- It lets md5 verifiers be told from scram ones, but also lets this login read the verifiers.
-- Without it, the rules about password verifiers answer "unknown".
SELECT 'the collector is ready' AS done
