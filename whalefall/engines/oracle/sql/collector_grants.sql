-- The least rights that WhaleFall's collector needs on Oracle. Run as SYSDBA: in a pluggable
-- database (or one that is no container database) to watch that one alone. Set a password of your
-- own first: replace ********.
CREATE USER {login} IDENTIFIED BY "********";
GRANT CREATE SESSION TO {login};
GRANT SELECT ON sys.dba_users TO {login};
GRANT SELECT ON sys.dba_roles TO {login};
GRANT SELECT ON sys.dba_role_privs TO {login};
GRANT SELECT ON sys.dba_sys_privs TO {login};
GRANT SELECT ON sys.dba_tab_privs TO {login};
GRANT SELECT ON sys.dba_col_privs TO {login};
GRANT SELECT ON sys.dba_schema_privs TO {login}; -- pragma: >= 230000
GRANT SELECT ON sys.dba_ts_quotas TO {login};
GRANT SELECT ON sys.dba_profiles TO {login};
GRANT SELECT ON sys.dba_proxies TO {login};
GRANT SELECT ON sys.dba_users_with_defpwd TO {login};
GRANT SELECT ON sys.dba_db_links TO {login};
GRANT SELECT ON sys.dba_tables TO {login};
GRANT SELECT ON sys.dba_registry TO {login};
GRANT SELECT ON sys.v_$pwfile_users TO {login};
GRANT SELECT ON sys.v_$system_parameter TO {login};
-- Only where Java is installed; rules on Java permissions are unknown without it.
GRANT SELECT ON sys.dba_java_policy TO {login};
-- Sizes.
GRANT SELECT ON sys.dba_tablespaces TO {login};
GRANT SELECT ON sys.dba_data_files TO {login};
GRANT SELECT ON sys.dba_temp_files TO {login};
GRANT SELECT ON sys.dba_free_space TO {login};
GRANT SELECT ON sys.dba_segments TO {login};
GRANT SELECT ON sys.dba_indexes TO {login};
GRANT SELECT ON sys.dba_lobs TO {login};
-- To watch all containers from the root instead: run there, with a common login such as -- pragma: >= 120100
-- C##WHALEFALL, CONTAINER=ALL on CREATE USER and GRANT CREATE SESSION, each dba_ view above also -- pragma: >= 120100
-- as cdb_, SELECT on sys.dba_pdbs and sys.v_$containers, and: -- pragma: >= 120100
--   ALTER USER C##WHALEFALL SET CONTAINER_DATA = ALL CONTAINER = CURRENT; -- pragma: >= 120100
-- Then test the connection of the instance: it names what is still missing.
