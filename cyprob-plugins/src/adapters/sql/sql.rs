//! Every statement of these stores. In those of one organization `$1` is the organization.

use cyprob_core::adapters::sql::Statement;

/// What is read of a run `r`, its tags with it.
macro_rules! run {
    () => {
        "r.id, r.state, r.requested_by, r.facts, r.plugins, r.findings, r.errors, r.created_at, r.finished_at, r.error, (SELECT string_agg(t.tag, ',') FROM run_tags t WHERE t.org_id = $1 AND t.run_id = r.id) AS tags"
    };
}

/// A statement that looks at a run `r` only if the caller may have it, in the middle of two texts.
///
/// `$2` is the person whose runs are the caller's own, `$3` whether those are in the scope, `$4` its
/// tags, `$5` its tags of own runs, `$6` whether every run is in it: `Scoped::admits`, in SQL.
macro_rules! in_scope {
    ($($before:expr),+; $after:literal) => {
        Statement::each(
            concat!($($before,)+ "($6 OR ($3 AND r.requested_by = $2) OR EXISTS (SELECT 1 FROM run_tags s WHERE s.org_id = $1 AND s.run_id = r.id AND (s.tag IN (SELECT w.value FROM json_each($4) w) OR (r.requested_by = $2 AND s.tag IN (SELECT w.value FROM json_each($5) w)))))", $after),
            concat!($($before,)+ "($6 OR ($3 AND r.requested_by = $2) OR EXISTS (SELECT 1 FROM run_tags s WHERE s.org_id = $1 AND s.run_id = r.id AND (s.tag = ANY($4::text[]) OR (r.requested_by = $2 AND s.tag = ANY($5::text[])))))", $after),
        )
    };
}

/// The page of runs of a scope that has not all of them.
///
/// Asked of each run in turn, as above, a page of few among many reads them all. So each step goes by
/// an index to the next older run that is the caller's own or has one of the tags: whatever the
/// organization has, a page costs so many steps times so many tags.
macro_rules! page_in_scope {
    ($tags:literal, $own_tags:literal) => {
        concat!("WITH RECURSIVE found (id, place) AS (SELECT $6, CAST(0 AS BIGINT) UNION ALL SELECT (SELECT c.id FROM (\
            SELECT (SELECT o.id FROM runs o WHERE o.org_id = $1 AND o.requested_by = $2 AND $3 AND o.id < f.id ORDER BY o.id DESC LIMIT 1) AS id \
            UNION ALL SELECT (SELECT t.run_id FROM run_tags t WHERE t.org_id = $1 AND t.tag = w.value AND t.run_id < f.id ORDER BY t.run_id DESC LIMIT 1) FROM ", $tags, " \
            UNION ALL SELECT (SELECT t.run_id FROM run_tags t WHERE t.org_id = $1 AND t.requested_by = $2 AND t.tag = w.value AND t.run_id < f.id ORDER BY t.run_id DESC LIMIT 1) FROM ", $own_tags, "\
            ) c WHERE c.id IS NOT NULL ORDER BY c.id DESC LIMIT 1), f.place + 1 FROM found f WHERE f.id IS NOT NULL AND f.place < $7) \
            SELECT ", run!(), " FROM found f CROSS JOIN runs r WHERE r.org_id = $1 AND r.id = f.id AND f.place > 0 ORDER BY r.id DESC")
    };
}

cyprob_core::sql_statements! {
    // One change of what an organization has at a time, where there are many writers.
    LOCK_TENANT = sqlite "" postgres "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text, 2021)) WHERE $1::uuid IS NOT NULL";

    ADD_FILE = "INSERT INTO plugin_files (org_id, digest, bytes) VALUES ($1, $2, $3) ON CONFLICT (org_id, digest) DO NOTHING";
    VERSION = "SELECT digest FROM plugin_versions WHERE org_id = $1 AND id = $2 AND version = $3";
    ADD_VERSION = "INSERT INTO plugin_versions (org_id, id, version, digest) VALUES ($1, $2, $3, $4) ON CONFLICT (org_id, id, version) DO NOTHING";
    PUT_PLUGIN = "INSERT INTO plugins (org_id, id, name, version, digest, file_name, enabled, installed_at) VALUES ($1, $2, $3, $4, $5, $6, FALSE, $7) ON CONFLICT (org_id, id) DO UPDATE SET name = excluded.name, version = excluded.version, digest = excluded.digest, file_name = excluded.file_name, enabled = FALSE, installed_at = excluded.installed_at";
    PLUGIN = "SELECT p.id, p.name, p.version, p.digest, p.file_name, p.enabled, p.installed_at, f.bytes FROM plugins p JOIN plugin_files f ON f.org_id = $1 AND f.digest = p.digest WHERE p.org_id = $1 AND p.id = $2";
    PLUGINS = "SELECT id, name, version, digest, file_name, enabled, installed_at FROM plugins WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    ENABLED = "SELECT p.id, p.name, p.version, p.digest, p.file_name, p.enabled, p.installed_at, f.bytes FROM plugins p JOIN plugin_files f ON f.org_id = $1 AND f.digest = p.digest WHERE p.org_id = $1 AND p.enabled ORDER BY p.id LIMIT $2";
    SET_ENABLED = "UPDATE plugins SET enabled = $3 WHERE org_id = $1 AND id = $2 AND enabled <> $3";
    REMOVE = "DELETE FROM plugins WHERE org_id = $1 AND id = $2";
    REMOVE_VERSIONS = "DELETE FROM plugin_versions WHERE org_id = $1 AND id = $2";

    OPEN_RUNS = sqlite "SELECT COUNT(*) AS open FROM runs INDEXED BY runs_open WHERE org_id = $1 AND state IN ('queued', 'running')" postgres "SELECT COUNT(*) AS open FROM runs WHERE org_id = $1 AND state IN ('queued', 'running')";
    ADD_RUN = "INSERT INTO runs (org_id, id, state, requested_by, facts, plugins, findings, errors, created_at, rule_set, facts_format, facts_bytes, fence, attempts) VALUES ($1, $2, 'queued', $3, $4, $5, 0, 0, $6, $7, $8, $9, 0, 0)";
    ADD_RUN_KEY = "INSERT INTO run_keys (org_id, requester, idempotency_key, request, run_id) VALUES ($1, $2, $3, $4, $5)";
    ADD_RUN_PLUGIN = "INSERT INTO run_plugins (org_id, run_id, place, plugin, file_name, digest) VALUES ($1, $2, $3, $4, $5, $6)";
    ADD_RUN_TAGS = sqlite "INSERT INTO run_tags (org_id, run_id, tag, requested_by) SELECT $1, $2, w.value, $3 FROM json_each($4) w" postgres "INSERT INTO run_tags (org_id, run_id, tag, requested_by) SELECT $1, $2, w.value, $3 FROM unnest($4::text[]) w (value)";
    RUN_EXISTS = "SELECT id FROM runs WHERE org_id = $1 AND id = $2";
    RUN = made in_scope!("SELECT ", run!(), " FROM runs r WHERE r.org_id = $1 AND r.id = $7 AND "; "");
    RUN_KEY = "SELECT request, run_id FROM run_keys WHERE org_id = $1 AND requester = $2 AND idempotency_key = $3";
    RUNS = made Statement::same(concat!("SELECT ", run!(), " FROM runs r WHERE r.org_id = $1 AND r.id < $2 ORDER BY r.id DESC LIMIT $3"));
    RUNS_IN_SCOPE = made Statement::each(page_in_scope!("json_each($4) w", "json_each($5) w"), page_in_scope!("unnest($4::text[]) w (value)", "unnest($5::text[]) w (value)"));
    FINDINGS = made in_scope!("SELECT f.id, f.body FROM findings f WHERE f.org_id = $1 AND f.run_id = $7 AND f.id > $8 AND EXISTS (SELECT 1 FROM runs r WHERE r.org_id = $1 AND r.id = $7 AND "; ") ORDER BY f.id LIMIT $9");
    CANCEL = made in_scope!("UPDATE runs AS r SET state = 'cancelled', finished_at = $8, lease_until = NULL, facts_bytes = NULL WHERE r.org_id = $1 AND r.id = $7 AND r.state IN ('queued', 'running') AND "; "");

    TAKE = "UPDATE runs SET state = 'running', fence = fence + 1, attempts = attempts + 1, lease_until = $5 WHERE org_id = $1 AND id = $2 AND fence = $3 AND (state = 'queued' OR (state = 'running' AND lease_until <= $4))";
    TURN = "INSERT INTO run_turns (org_id, taken_at) VALUES ($1, $2) ON CONFLICT (org_id) DO UPDATE SET taken_at = excluded.taken_at";
    JOB = "SELECT requested_by, fence, attempts, rule_set, facts_format, facts_bytes FROM runs WHERE org_id = $1 AND id = $2";
    JOB_PLUGINS = "SELECT r.plugin, r.file_name, r.digest, f.bytes FROM run_plugins r JOIN plugin_files f ON f.org_id = $1 AND f.digest = r.digest WHERE r.org_id = $1 AND r.run_id = $2 ORDER BY r.place";
    EXTEND = "UPDATE runs SET lease_until = $4 WHERE org_id = $1 AND id = $2 AND fence = $3 AND state = 'running'";
    GIVE_BACK = "UPDATE runs SET state = 'queued', lease_until = NULL, error = $4, attempts = attempts - $5 WHERE org_id = $1 AND id = $2 AND fence = $3 AND state = 'running'";
    FINISH = "UPDATE runs SET state = $4, findings = $5, errors = $6, error = $7, finished_at = $8, lease_until = NULL, facts_bytes = NULL WHERE org_id = $1 AND id = $2 AND fence = $3 AND state = 'running'";
    ADD_FINDING = "INSERT INTO findings (org_id, run_id, id, body) VALUES ($1, $2, $3, $4)";

    // The queue serves every organization. These two answer no request; the state list lets them use the index of open runs.
    ANY_DUE = "SELECT r.org_id, r.id, r.requested_by, r.fence, r.attempts FROM runs r LEFT JOIN run_turns t ON t.org_id = r.org_id WHERE r.state IN ('queued', 'running') AND (r.state = 'queued' OR r.lease_until <= $1) ORDER BY COALESCE(t.taken_at, 0), r.id LIMIT 1";
    ANY_RECLAIM = "UPDATE runs SET lease_until = $1 WHERE state IN ('queued', 'running') AND state = 'running' AND lease_until > $1";
}
