-- Who is in which role. 16+ has one row per grantor, each with options of its own: any one suffices.
-- Before 16, whether rights are inherited is an attribute of the member.
SELECT pg_catalog.pg_get_userbyid(m.member)::text
     , pg_catalog.pg_get_userbyid(m.roleid)::text
     , pg_catalog.bool_or(m.admin_option)
     , pg_catalog.bool_or(m.inherit_option) -- pragma: >= 160000
     , pg_catalog.bool_or(m.set_option) -- pragma: >= 160000
     , pg_catalog.bool_or(r.rolinherit) -- pragma: < 160000
     , true -- pragma: < 160000
     , pg_catalog.array_agg(DISTINCT pg_catalog.pg_get_userbyid(m.grantor)::text)
  FROM pg_catalog.pg_auth_members m
  JOIN pg_catalog.pg_roles r ON r.oid = m.member -- pragma: < 160000
 GROUP BY m.member, m.roleid
 ORDER BY 1, 2
