"""The SQL that brings acceptances and risks up to date (`classification.risks`).

Every statement goes from the accounts in question to the rest of what is needed, by index, in
LATERAL subqueries that the planner cannot turn round. Were it joins, a table that it takes for
next to empty would be gone through for every account; so it needs to know no more than that there
is something (`classification.estimates`).
"""

# Each gives ids of permissions.
ACCOUNTS = "SELECT unnest(%(accounts)s::bigint[])"
OF_RUN = "SELECT account_id FROM run_touched"
# Of a run, but for the accounts that had no risk before: `WEIGH_NEW` does those, mostly all.
OF_RUN_KNOWN = """
    SELECT t.account_id FROM run_touched t
    WHERE t.assignment_id IS NULL
       OR EXISTS (SELECT FROM account_risks r WHERE r.permission_id = t.account_id)
       OR EXISTS (SELECT FROM accepted_assignments w WHERE w.assignment_id = t.assignment_id)"""
EXPIRED = "SELECT permission_id FROM account_risks WHERE accepted_until < %(today)s"
OF_CLASSIFICATION = """
    SELECT account_id FROM account_classification_assignments
    WHERE classification_id = %(classification)s AND is_active"""
GONE = """
    SELECT r.permission_id FROM account_risks r
    JOIN account_permission p ON p.id = r.permission_id
    JOIN instance_accounts a ON a.id = p.account_id
    WHERE NOT a.is_active AND (%(instance)s::bigint IS NULL OR p.instance_id = %(instance)s)"""

COVERS = """(e.account_id = a.id OR e.account_id IS NULL
    AND (e.instance_id IS NULL OR e.instance_id = a.instance_id)
    AND a.username LIKE e.username_like)"""

OF_EXCEPTION = f"""
    SELECT p.id FROM risk_exceptions e
    JOIN instance_accounts a ON {COVERS}
    JOIN account_permission p ON p.account_id = a.id
    WHERE e.id = %(exception)s"""  # noqa: S608

# What several rules gave is accepted when each of them is, until the first of these ends. Where
# nobody accepts or has accepted anything, no account is looked at.
ACCEPT = f"""
    WITH holding AS MATERIALIZED (
        SELECT * FROM risk_exceptions WHERE ended_at IS NULL AND ends_on >= %(today)s),
    scope AS MATERIALIZED (
        SELECT DISTINCT id FROM ({{scope}}) found (id)
        WHERE EXISTS (SELECT FROM holding) OR EXISTS (SELECT FROM accepted_assignments)),
    covered AS MATERIALIZED (
        SELECT s.id, e.id AS exception_id, e.classification_id, e.rule_id, e.ends_on
        FROM scope s
        CROSS JOIN LATERAL (
            SELECT a.id, a.instance_id, a.username FROM account_permission p
            JOIN instance_accounts a ON a.id = p.account_id WHERE p.id = s.id LIMIT 1) a
        JOIN holding e ON {COVERS}),
    by_classification AS (
        SELECT x.id, c.exception_id, c.ends_on
        FROM covered c
        CROSS JOIN LATERAL (
            SELECT x.id FROM account_classification_assignments x
            WHERE x.account_id = c.id AND x.classification_id = c.classification_id
              AND x.is_active LIMIT 1) x),
    by_rule AS MATERIALIZED (
        SELECT DISTINCT ON (id, rule_id) id, rule_id, exception_id, ends_on
        FROM covered WHERE rule_id IS NOT NULL
        ORDER BY id, rule_id, ends_on DESC, exception_id),
    by_rules AS (
        SELECT x.id, (array_agg(b.exception_id ORDER BY b.ends_on))[1] AS exception_id,
               min(b.ends_on) AS ends_on
        FROM (SELECT DISTINCT id FROM by_rule) s
        CROSS JOIN LATERAL (
            SELECT x.id, x.account_id, x.evidence FROM account_classification_assignments x
            WHERE x.account_id = s.id AND x.is_active OFFSET 0) x
        CROSS JOIN LATERAL jsonb_array_elements(x.evidence -> 'rules') given
        LEFT JOIN by_rule b
          ON b.id = x.account_id AND b.rule_id = (given ->> 'rule')::bigint
        GROUP BY x.id HAVING count(*) = count(b.exception_id)),
    accepted AS MATERIALIZED (
        SELECT DISTINCT ON (id) id, exception_id, ends_on
        FROM (TABLE by_classification UNION ALL TABLE by_rules) found
        ORDER BY id, ends_on DESC, exception_id),
    present AS MATERIALIZED (
        SELECT w.assignment_id AS id, w.exception_id, w.ends_on
        FROM scope s
        CROSS JOIN LATERAL (
            SELECT w.* FROM account_classification_assignments x
            JOIN accepted_assignments w ON w.assignment_id = x.id
            WHERE x.account_id = s.id OFFSET 0) w),
    dropped AS (
        DELETE FROM accepted_assignments
        WHERE assignment_id = ANY (ARRAY(SELECT id FROM present EXCEPT SELECT id FROM accepted)))
    INSERT INTO accepted_assignments (assignment_id, exception_id, ends_on)
    SELECT id, exception_id, ends_on FROM (TABLE accepted EXCEPT TABLE present) n
    ON CONFLICT (assignment_id) DO UPDATE
    SET exception_id = excluded.exception_id, ends_on = excluded.ends_on
"""  # noqa: S608

WEIGH = """
    WITH scope AS MATERIALIZED (SELECT DISTINCT id FROM ({scope}) found (id)),
    current AS MATERIALIZED (
        SELECT s.id, n.given, n.level, n.accepted_until, r.is_there, r.level AS old_level,
               r.accepted_until AS old_until
        FROM scope s
        CROSS JOIN LATERAL (
            SELECT count(*) AS given, min(w.ends_on) AS accepted_until,
                   coalesce(max(array_position(%(levels)s::text[], k.risk_level::text))
                            FILTER (WHERE w.assignment_id IS NULL), 0) AS level
            FROM account_classification_assignments x
            JOIN account_classifications k ON k.id = x.classification_id
            LEFT JOIN accepted_assignments w ON w.assignment_id = x.id
            WHERE x.account_id = s.id AND x.is_active) n
        LEFT JOIN LATERAL (
            SELECT true AS is_there, r.level, r.accepted_until FROM account_risks r
            WHERE r.permission_id = s.id LIMIT 1) r ON true),
    dropped AS (
        DELETE FROM account_risks
        WHERE permission_id = ANY (ARRAY(SELECT id FROM current WHERE is_there AND given = 0)))
    INSERT INTO account_risks (permission_id, account_id, level, accepted_until)
    SELECT id, (SELECT p.account_id FROM account_permission p WHERE p.id = current.id), level,
           accepted_until
    FROM current
    WHERE given > 0
      AND (is_there IS NULL OR (old_level, old_until) IS DISTINCT FROM (level, accepted_until))
    ORDER BY id
    ON CONFLICT (permission_id) DO UPDATE
    SET level = excluded.level, accepted_until = excluded.accepted_until
"""

# Who had no risk had no classification: what the run has added is all there is to weigh. Without
# ON CONFLICT, which costs as much again: `refresh_run` holds the lock that keeps others out. Inside
# of CASE, EXISTS does not become a join.
WEIGH_NEW = """
    INSERT INTO account_risks (permission_id, account_id, level)
    SELECT id, (SELECT p.account_id FROM account_permission p WHERE p.id = n.id), level
    FROM (SELECT t.account_id AS id,
                 max(array_position(%(levels)s::text[], k.risk_level::text)) AS level
          FROM run_touched t
          JOIN account_classifications k ON k.id = t.classification_id
          WHERE CASE WHEN EXISTS (SELECT FROM account_risks r
                                  WHERE r.permission_id = t.account_id)
                     THEN false ELSE true END
          GROUP BY t.account_id
          ORDER BY t.account_id) n
"""
