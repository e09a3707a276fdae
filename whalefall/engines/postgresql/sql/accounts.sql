-- Every role. Read from pg_authid instead of pg_roles where that is allowed: pg_roles masks the
-- password verifier, of which only the kind is asked.
SELECT r.rolname
     , r.rolcanlogin
     , CASE WHEN r.rolvaliduntil < '9999-12-31 00:00:00+00'
            THEN GREATEST(r.rolvaliduntil, '0001-01-02 00:00:00+00') END
     , r.rolsuper
     , r.rolinherit
     , r.rolcreaterole
     , r.rolcreatedb
     , r.rolreplication
     , r.rolbypassrls
     , r.rolconnlimit
     , CASE WHEN r.rolpassword IS NULL THEN 'none'
            WHEN r.rolpassword = '********' THEN NULL
            WHEN r.rolpassword LIKE 'md5%' THEN 'md5'
            WHEN r.rolpassword LIKE 'SCRAM-SHA-256$%' THEN 'scram'
            ELSE 'other' END
     , s.settings
     , pg_catalog.shobj_description(r.oid, 'pg_authid')
  FROM pg_catalog.pg_roles r
  LEFT JOIN (
         SELECT c.setrole
              , pg_catalog.array_agg(
                  CASE WHEN c.setdatabase = 0 THEN '' ELSE (pg_catalog.pg_identify_object(
                    'pg_catalog.pg_database'::pg_catalog.regclass, c.setdatabase, 0)).identity
                    || ': ' END
                  || v.setting) AS settings
           FROM pg_catalog.pg_db_role_setting c
          CROSS JOIN LATERAL pg_catalog.unnest(c.setconfig) v(setting)
          WHERE c.setrole <> 0
          GROUP BY c.setrole
       ) s ON s.setrole = r.oid
 ORDER BY r.rolname
