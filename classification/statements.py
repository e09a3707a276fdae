"""The SQL of a run (`classification.classify`). `x` is an assignment, `p` a permission row, `c`
what was known of it at the last run. Nothing but names of our own tables is put into the text.
"""

# What an account is to the rules. Only what a rule can ask and no fingerprint tells is added.
ACCOUNT_STAMP = """(
    hashtextextended(p.facts_fingerprint,
                     coalesce(p.is_locked::int, 2) * 3 + coalesce(p.can_login::int, 2))
    # coalesce(hashtextextended(p.valid_until::text, 1), 0)
    # coalesce(hashtextextended(p.password_changed_at::text, 2), 0))"""

PRESENT = """
    JOIN instance_accounts a ON a.id = p.account_id AND a.is_active
    JOIN instances i ON i.id = p.instance_id AND i.is_active AND i.deleted_at IS NULL
"""

OF_SCOPE = """
    (%(instance)s::bigint IS NULL OR p.instance_id = %(instance)s)
    AND (%(accounts)s::bigint[] IS NULL OR p.id = ANY(%(accounts)s))
"""

SCOPE = f"""
    FROM account_permission p {PRESENT}
    LEFT JOIN classified_accounts c ON c.permission_id = p.id
    CROSS JOIN LATERAL (SELECT {ACCOUNT_STAMP} AS stamp) s
    WHERE {OF_SCOPE}
"""

IS_CHANGED = "(%(accounts)s::bigint[] IS NOT NULL OR c.stamp IS DISTINCT FROM s.stamp)"

# `nulls`: whether one of the columns that rules ask is NULL somewhere, which leaves accounts
# unknown.
SURVEY = f"SELECT count(*), count(*) FILTER (WHERE {IS_CHANGED}), {{nulls}} {SCOPE}"

ACCOUNTS = f"""
    CREATE TEMPORARY TABLE run_accounts ON COMMIT DROP AS
    SELECT p.id, s.stamp, true AS is_changed, {{nulls}} AS has_null {SCOPE} AND {IS_CHANGED}
"""

NO_ACCOUNTS = """
    CREATE TEMPORARY TABLE run_accounts (id bigint NOT NULL, stamp bigint,
        is_changed boolean NOT NULL, has_null boolean[]) ON COMMIT DROP
"""

COUNT_ACCOUNTS = "SELECT count(*), count(*), {nulls} FROM run_accounts"

# When rules are asked of everybody: beside the changed accounts those that have, or had, something
# to do with them. Whom rules match is there; that he is present is told by the few who are not,
# which spares a look at every account. Whoever has an assignment may be gone altogether.
OTHER_ACCOUNTS = f"""
    WITH absent AS (
        SELECT p.id FROM instance_accounts a
        JOIN account_permission p ON p.account_id = a.id WHERE NOT a.is_active
        UNION ALL
        SELECT p.id FROM instances i
        JOIN account_permission p ON p.instance_id = i.id
        WHERE NOT i.is_active OR i.deleted_at IS NOT NULL)
    INSERT INTO run_accounts (id, is_changed)
    SELECT n.account_id, false
    FROM (SELECT DISTINCT account_id FROM run_found f
          WHERE NOT EXISTS (SELECT FROM absent o WHERE o.id = f.account_id)
          UNION
          SELECT p.id
          FROM account_classification_assignments x
          JOIN account_permission p ON p.id = x.account_id {PRESENT}
          WHERE x.is_active AND x.classification_id = ANY(%(stale)s) AND {OF_SCOPE}
            AND NOT EXISTS (SELECT FROM run_found f WHERE f.account_id = x.account_id
                            AND f.classification_id = x.classification_id)) n
    WHERE NOT EXISTS (SELECT FROM run_accounts r WHERE r.id = n.account_id)
"""  # noqa: S608

TABLES = """
    CREATE TEMPORARY TABLE run_matches (account_id bigint NOT NULL, entry bigint NOT NULL,
        classification_id bigint NOT NULL) ON COMMIT DROP;
    CREATE TEMPORARY TABLE run_sets (entries bigint[] NOT NULL, rule_id bigint NOT NULL,
        evidence jsonb NOT NULL) ON COMMIT DROP;
    CREATE TEMPORARY TABLE run_kept (account_id bigint NOT NULL,
        classification_id bigint NOT NULL) ON COMMIT DROP;
    CREATE TEMPORARY TABLE run_touched (account_id bigint NOT NULL, assignment_id bigint,
        classification_id bigint, rule_id bigint) ON COMMIT DROP;
    CREATE TEMPORARY TABLE run_rests (evidence jsonb NOT NULL, entry bigint NOT NULL,
        rest jsonb NOT NULL) ON COMMIT DROP;
    CREATE TEMPORARY TABLE run_again (account_id bigint NOT NULL,
        classification_id bigint NOT NULL) ON COMMIT DROP
"""

# Which of the tokens that leave accounts unknown there are at all: mostly none.
DOUBTS_THERE = """
    SELECT word FROM unnest(%s::text[]) word
    WHERE EXISTS (SELECT FROM account_permission p WHERE p.fact_tokens @> ARRAY[word])
"""

# An unknown verdict keeps what is there, so only accounts that have something need a row.
KEEP_UNKNOWN = """
    WITH doubtful (id, rule_id, classification_id) AS MATERIALIZED ({rows}), kept AS (
        INSERT INTO run_kept
        SELECT DISTINCT d.id, d.classification_id FROM doubtful d
        WHERE EXISTS (SELECT FROM account_classification_assignments x
                      WHERE x.account_id = d.id AND x.classification_id = d.classification_id
                        AND x.is_active))
    SELECT rule_id, count(*) FROM doubtful GROUP BY rule_id
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

FOUND = """
    CREATE TEMPORARY TABLE run_found ON COMMIT DROP AS
    SELECT account_id, classification_id, array_agg(entry ORDER BY entry) AS entries
    FROM ({matches}) matches (account_id, entry, classification_id)
    GROUP BY account_id, classification_id
"""

# Rules are asked of all accounts there are, which is quicker than of those in scope.
DROP_OTHERS = """
    DELETE FROM run_found f WHERE NOT EXISTS (SELECT FROM run_accounts r WHERE r.id = f.account_id)
"""

SETS = "SELECT entries, count(*) FROM run_found GROUP BY entries"

TELL = """
    INSERT INTO run_sets
    SELECT entries::bigint[], rule_id, evidence::jsonb
    FROM unnest(%s::text[], %s::bigint[], %s::text[]) told (entries, rule_id, evidence)
"""

# In the order of the indexes: at a million accounts that alone saves a third.
INSERT = """
    WITH added AS (
        INSERT INTO account_classification_assignments
            (account_id, classification_id, rule_id, assignment_type, batch_id, evidence,
             is_active, is_dismissed, assigned_at)
        SELECT f.account_id, f.classification_id, s.rule_id, 'auto', %(batch)s, s.evidence,
               true, false, statement_timestamp()
        FROM run_found f JOIN run_sets s ON s.entries = f.entries
        WHERE NOT EXISTS (
                SELECT FROM account_classification_assignments x
                WHERE x.account_id = f.account_id AND x.classification_id = f.classification_id
                  AND x.is_active)
          AND NOT EXISTS (
                SELECT FROM account_classification_assignments x
                JOIN account_permission p ON p.id = x.account_id
                WHERE x.account_id = f.account_id AND x.classification_id = f.classification_id
                  AND x.is_dismissed AND x.evidence -> 'rules' = s.evidence -> 'rules'
                  AND x.evidence ->> 'facts' = p.facts_fingerprint)
        ORDER BY f.account_id, f.classification_id
        {on_conflict}
        RETURNING account_id, id, classification_id, rule_id)
    INSERT INTO run_touched SELECT account_id, id, classification_id, rule_id FROM added
"""

COUNT_ADDED = """
    SELECT rule_id, count(*) FROM run_touched WHERE assignment_id IS NOT NULL GROUP BY rule_id
"""

# Costs as much again as the indexes: asked for only when a person was quicker by a moment.
SKIP_TAKEN = "ON CONFLICT DO NOTHING"

UPDATE = """
    WITH updated AS (
        UPDATE account_classification_assignments x
        SET evidence = s.evidence, rule_id = s.rule_id
        FROM run_found f JOIN run_sets s ON s.entries = f.entries
        WHERE x.account_id = f.account_id AND x.classification_id = f.classification_id
          AND x.is_active AND x.assignment_type = 'auto' AND x.evidence <> s.evidence
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

# Also whether anybody was ever classified: then the changed are few.
ANY_GONE = f"SELECT EXISTS (SELECT {GONE}), EXISTS (SELECT FROM classified_accounts)"  # noqa: S608

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
    UPDATE account_classifications c SET rule_stamps = n.stamps::jsonb
    FROM unnest(%s::bigint[], %s::text[]) n (id, stamps)
    WHERE c.id = n.id AND c.rule_stamps <> n.stamps::jsonb
"""

# The accounts of instances that are switched off were not asked: when these are back, they are.
FORGET_ABSENT = """
    UPDATE classified_accounts c SET stamp = 0
    FROM instances i JOIN account_permission p ON p.instance_id = i.id
    WHERE (NOT i.is_active OR i.deleted_at IS NOT NULL)
      AND c.permission_id = p.id AND c.stamp <> 0
"""

# Until the end of the run nobody can delete what its assignments will point to.
HOLD_RULES = """
    SELECT r.id FROM classification_rules r
    JOIN account_classifications c ON c.id = r.classification_id
    WHERE r.id = ANY(%s) FOR KEY SHARE
"""

DROP = """
    DROP TABLE run_accounts, run_matches, run_sets, run_kept, run_found, run_touched, run_rests,
        run_again
"""

KNOW_ASSIGNMENTS = (
    "ANALYZE account_classification_assignments (account_id, classification_id, is_active)"
)
