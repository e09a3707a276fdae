"""The SQL of a run (`classification.classify`). `x` is an assignment, `p` a permission row, `c`
what was known of it at the last run. Nothing but names of our own tables is put into the text.
"""

# What an account is to the rules. Only what a rule can ask and no fingerprint tells is added.
ACCOUNT_STAMP = """(
    hashtextextended(p.facts_fingerprint,
                     coalesce(p.is_locked::int, 2) * 3 + coalesce(p.can_login::int, 2))
    # coalesce(hashtextextended(p.valid_until::text, 1), 0)
    # coalesce(hashtextextended(p.password_changed_at::text, 2), 0))"""

SCOPE = f"""
    FROM account_permission p
    JOIN instance_accounts a ON a.id = p.account_id AND a.is_active
    JOIN instances i ON i.id = p.instance_id AND i.is_active AND i.deleted_at IS NULL
    LEFT JOIN classified_accounts c ON c.permission_id = p.id
    CROSS JOIN LATERAL (SELECT {ACCOUNT_STAMP} AS stamp) s
    WHERE (%(instance)s::bigint IS NULL OR p.instance_id = %(instance)s)
      AND (%(accounts)s::bigint[] IS NULL OR p.id = ANY(%(accounts)s))
"""

IS_CHANGED = "(%(accounts)s::bigint[] IS NOT NULL OR c.stamp IS DISTINCT FROM s.stamp)"

SURVEY = f"SELECT count(*), count(*) FILTER (WHERE {IS_CHANGED}) {SCOPE}"

COUNT_ACCOUNTS = "SELECT count(*), count(*) FILTER (WHERE is_changed) FROM run_accounts"

ACCOUNTS = f"""
    CREATE TEMPORARY TABLE run_accounts ON COMMIT DROP AS
    SELECT p.id, s.stamp, {IS_CHANGED} AS is_changed {SCOPE}
      AND (%(everybody)s OR {IS_CHANGED})
"""

TABLES = """
    CREATE TEMPORARY TABLE run_matches (account_id bigint NOT NULL, entry bigint NOT NULL,
        classification_id bigint NOT NULL) ON COMMIT DROP;
    CREATE TEMPORARY TABLE run_entries (entry bigint PRIMARY KEY, evidence text NOT NULL)
        ON COMMIT DROP;
    CREATE TEMPORARY TABLE run_told (account_id bigint NOT NULL, evidence text NOT NULL)
        ON COMMIT DROP;
    CREATE TEMPORARY TABLE run_kept (account_id bigint NOT NULL,
        classification_id bigint NOT NULL) ON COMMIT DROP;
    CREATE TEMPORARY TABLE run_touched (account_id bigint NOT NULL) ON COMMIT DROP
"""

# Which of the tokens that leave accounts unknown there are at all: mostly none.
DOUBTS_THERE = """
    SELECT word FROM unnest(%s::text[]) word
    WHERE EXISTS (SELECT FROM account_permission p WHERE p.fact_tokens @> ARRAY[word])
"""

# Which of the columns that a rule may ask are NULL for some account of the run.
NULLS_THERE = "SELECT {columns} FROM account_permission p JOIN run_accounts r ON r.id = p.id"

# An unknown verdict keeps what is there, so only accounts that have something need a row.
KEEP_UNKNOWN = """
    WITH doubtful (id) AS MATERIALIZED ({rows}), kept AS (
        INSERT INTO run_kept
        SELECT d.id, %s FROM doubtful d
        WHERE EXISTS (SELECT FROM account_classification_assignments x
                      WHERE x.account_id = d.id AND x.classification_id = %s AND x.is_active))
    SELECT count(*) FROM doubtful
"""

KEEP_FAILED = """
    INSERT INTO run_kept
    SELECT x.account_id, x.classification_id
    FROM account_classification_assignments x
    JOIN unnest(%s::bigint[]) failed (rule_id)
      ON x.evidence @> jsonb_build_object('rules', jsonb_build_array(
                           jsonb_build_object('rule', failed.rule_id)))
    WHERE x.is_active AND x.assignment_type = 'auto'
"""

# A match is two numbers: what it is put down to stands once in run_entries, numbered from the
# rule's id times ENTRIES, so that texts are sorted and parsed once for each set that occurs.
ENTRIES = 1 << 24

KNOWN_ENTRIES = "INSERT INTO run_entries SELECT * FROM unnest(%s::bigint[], %s::text[])"

TOLD_ENTRIES = """
    INSERT INTO run_entries
    SELECT %(first)s + row_number() OVER (ORDER BY evidence), evidence
    FROM (SELECT DISTINCT evidence FROM run_told) told
"""
TOLD_MATCHES = """
    INSERT INTO run_matches
    SELECT t.account_id, e.entry, %(gives)s
    FROM run_told t JOIN run_entries e ON e.evidence = t.evidence
"""

FOUND = f"""
    CREATE TEMPORARY TABLE run_found ON COMMIT DROP AS
    WITH grouped AS MATERIALIZED (
        SELECT m.account_id, m.classification_id, array_agg(m.entry ORDER BY m.entry) AS entries
        FROM run_matches m JOIN run_accounts r ON r.id = m.account_id
        GROUP BY m.account_id, m.classification_id),
    sets AS MATERIALIZED (
        SELECT entries, (
            SELECT ('{{"rules":[' || string_agg(e.evidence, ',' ORDER BY e.entry) || ']}}')::jsonb
            FROM run_entries e WHERE e.entry = ANY(entries)) AS evidence
        FROM (SELECT DISTINCT entries FROM grouped) occurring)
    SELECT account_id, classification_id, entries[1] / {ENTRIES} AS rule_id, evidence
    FROM grouped JOIN sets USING (entries)
    ORDER BY account_id, classification_id
"""  # noqa: S608

# In the order of the indexes: at a million accounts that alone saves a third.
INSERT = """
    WITH added AS (
        INSERT INTO account_classification_assignments
            (account_id, classification_id, rule_id, assignment_type, batch_id, evidence,
             is_active, is_dismissed, assigned_at)
        SELECT f.account_id, f.classification_id, f.rule_id, 'auto', %(batch)s, f.evidence,
               true, false, statement_timestamp()
        FROM run_found f
        WHERE NOT EXISTS (
                SELECT FROM account_classification_assignments x
                WHERE x.account_id = f.account_id AND x.classification_id = f.classification_id
                  AND x.is_active)
          AND NOT EXISTS (
                SELECT FROM account_classification_assignments x
                JOIN account_permission p ON p.id = x.account_id
                WHERE x.account_id = f.account_id AND x.classification_id = f.classification_id
                  AND x.is_dismissed AND x.evidence -> 'rules' = f.evidence -> 'rules'
                  AND x.evidence ->> 'facts' = p.facts_fingerprint)
        ORDER BY f.account_id, f.classification_id
        {on_conflict}
        RETURNING rule_id, account_id),
    touched AS (INSERT INTO run_touched SELECT DISTINCT account_id FROM added)
    SELECT rule_id, count(*) FROM added GROUP BY rule_id
"""

# Costs as much again as the indexes: asked for only when a person was quicker by a moment.
SKIP_TAKEN = "ON CONFLICT DO NOTHING"

UPDATE = """
    WITH updated AS (
        UPDATE account_classification_assignments x
        SET evidence = f.evidence, rule_id = f.rule_id
        FROM run_found f
        WHERE x.account_id = f.account_id AND x.classification_id = f.classification_id
          AND x.is_active AND x.assignment_type = 'auto' AND x.evidence <> f.evidence
          AND NOT EXISTS (SELECT FROM run_kept k WHERE k.account_id = f.account_id
                          AND k.classification_id = f.classification_id)
        RETURNING x.account_id)
    INSERT INTO run_touched SELECT account_id FROM updated
"""

DEACTIVATE = """
    WITH removed AS (
        UPDATE account_classification_assignments x
        SET is_active = false, deactivated_at = statement_timestamp()
        FROM run_accounts r
        WHERE x.account_id = r.id AND x.is_active AND x.assignment_type = 'auto'
          AND (x.classification_id = ANY(%(stale)s)
               OR r.is_changed AND x.classification_id = ANY(%(others)s))
          AND NOT EXISTS (SELECT FROM run_found f WHERE f.account_id = x.account_id
                          AND f.classification_id = x.classification_id)
          AND NOT EXISTS (SELECT FROM run_kept k WHERE k.account_id = x.account_id
                          AND k.classification_id = x.classification_id)
        RETURNING x.rule_id, x.account_id),
    touched AS (INSERT INTO run_touched SELECT account_id FROM removed)
    SELECT rule_id, count(*) FROM removed GROUP BY rule_id
"""

GONE = """
    FROM instance_accounts a
    JOIN account_permission p ON p.account_id = a.id
    JOIN classified_accounts c ON c.permission_id = p.id
    WHERE NOT a.is_active
      AND (%(instance)s::bigint IS NULL OR p.instance_id = %(instance)s)
      AND (%(accounts)s::bigint[] IS NULL OR p.id = ANY(%(accounts)s))
"""

ANY_GONE = f"SELECT EXISTS (SELECT {GONE})"

FORGET_GONE = f"""
    WITH gone AS (
        DELETE FROM classified_accounts WHERE permission_id IN (SELECT p.id {GONE})
        RETURNING permission_id),
    removed AS (
        UPDATE account_classification_assignments x
        SET is_active = false, deactivated_at = statement_timestamp()
        FROM gone WHERE x.account_id = gone.permission_id AND x.is_active
          AND x.assignment_type = 'auto'
        RETURNING x.rule_id)
    SELECT rule_id, count(*) FROM removed GROUP BY rule_id
"""  # noqa: S608

# Two statements instead of ON CONFLICT, which costs as much again: the run's lock keeps others out.
REMEMBER_KNOWN = """
    UPDATE classified_accounts c SET stamp = r.stamp
    FROM run_accounts r WHERE c.permission_id = r.id AND r.is_changed
"""
REMEMBER_NEW = """
    INSERT INTO classified_accounts (permission_id, stamp)
    SELECT r.id, r.stamp FROM run_accounts r
    WHERE r.is_changed
      AND NOT EXISTS (SELECT FROM classified_accounts c WHERE c.permission_id = r.id)
    ORDER BY r.id
"""

REMEMBER_RULES = """
    UPDATE account_classifications c SET rules_stamp = n.stamp
    FROM unnest(%s::bigint[], %s::text[]) n (id, stamp)
    WHERE c.id = n.id AND c.rules_stamp <> n.stamp
"""

COUNT_MATCHES = f"""
    SELECT m.entry / {ENTRIES}, count(*)
    FROM run_matches m JOIN run_accounts r ON r.id = m.account_id
    GROUP BY 1
"""  # noqa: S608

# Until the end of the run nobody can delete what its assignments will point to.
HOLD_RULES = """
    SELECT r.id FROM classification_rules r
    JOIN account_classifications c ON c.id = r.classification_id
    WHERE r.id = ANY(%s) FOR KEY SHARE
"""

DROP = """
    DROP TABLE run_accounts, run_matches, run_entries, run_told, run_kept, run_found, run_touched
"""
