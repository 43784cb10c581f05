//! Every statement of these stores. In those of one organization `$1` is the organization.

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
    ADD_RUN = "INSERT INTO runs (org_id, id, state, requested_by, idempotency_key, facts, plugins, findings, errors, created_at, rule_set, facts_format, facts_bytes, fence, attempts) VALUES ($1, $2, 'queued', $3, $4, $5, $6, 0, 0, $7, $8, $9, $10, 0, 0)";
    ADD_RUN_PLUGIN = "INSERT INTO run_plugins (org_id, run_id, place, plugin, file_name, digest) VALUES ($1, $2, $3, $4, $5, $6)";
    RUN = "SELECT id, state, requested_by, facts, plugins, findings, errors, created_at, finished_at, error FROM runs WHERE org_id = $1 AND id = $2";
    RUN_BY_KEY = "SELECT id, state, requested_by, facts, plugins, findings, errors, created_at, finished_at, error FROM runs WHERE org_id = $1 AND idempotency_key = $2";
    RUNS = "SELECT id, state, requested_by, facts, plugins, findings, errors, created_at, finished_at, error FROM runs WHERE org_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    FINDINGS = "SELECT id, body FROM findings WHERE org_id = $1 AND run_id = $2 AND id > $3 ORDER BY id LIMIT $4";
    CANCEL = "UPDATE runs SET state = 'cancelled', finished_at = $3, lease_until = NULL, facts_bytes = NULL WHERE org_id = $1 AND id = $2 AND state IN ('queued', 'running')";

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
