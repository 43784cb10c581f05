//! Every statement of this adapter. In those of one organization `$1` is the organization.

pub(super) const ADD_FILE: &str = "INSERT INTO plugin_files (org_id, digest, bytes) \
    VALUES ($1, $2, $3) ON CONFLICT (org_id, digest) DO NOTHING";
pub(super) const VERSION: &str =
    "SELECT digest FROM plugin_versions WHERE org_id = $1 AND id = $2 AND version = $3";
pub(super) const ADD_VERSION: &str = "INSERT INTO plugin_versions (org_id, id, version, digest) \
    VALUES ($1, $2, $3, $4) ON CONFLICT (org_id, id, version) DO NOTHING";
pub(super) const PUT_PLUGIN: &str = "INSERT INTO plugins \
    (org_id, id, name, version, digest, file_name, enabled, installed_at) \
    VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT (org_id, id) DO UPDATE SET \
    name = excluded.name, version = excluded.version, digest = excluded.digest, \
    file_name = excluded.file_name, enabled = 0, installed_at = excluded.installed_at";
pub(super) const PLUGIN: &str = "SELECT p.id, p.name, p.version, p.digest, p.file_name, \
    p.enabled, p.installed_at, f.bytes FROM plugins p \
    JOIN plugin_files f ON f.org_id = p.org_id AND f.digest = p.digest \
    WHERE p.org_id = $1 AND p.id = $2";
pub(super) const PLUGINS: &str = "SELECT id, name, version, digest, file_name, enabled, \
    installed_at FROM plugins WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3";
pub(super) const ENABLED: &str = "SELECT p.id, p.name, p.version, p.digest, p.file_name, \
    p.enabled, p.installed_at, f.bytes FROM plugins p \
    JOIN plugin_files f ON f.org_id = p.org_id AND f.digest = p.digest \
    WHERE p.org_id = $1 AND p.enabled = 1 ORDER BY p.id";
pub(super) const SET_ENABLED: &str =
    "UPDATE plugins SET enabled = $3 WHERE org_id = $1 AND id = $2 AND enabled <> $3";
pub(super) const REMOVE: &str = "DELETE FROM plugins WHERE org_id = $1 AND id = $2";
pub(super) const REMOVE_VERSIONS: &str =
    "DELETE FROM plugin_versions WHERE org_id = $1 AND id = $2";

pub(super) const ADD_RUN: &str = "INSERT INTO runs (org_id, id, state, requested_by, \
    idempotency_key, facts, plugins, findings, errors, created_at, rule_set, facts_format, \
    facts_bytes, fence, attempts) \
    VALUES ($1, $2, 'queued', $3, $4, $5, $6, 0, 0, $7, $8, $9, $10, 0, 0)";
pub(super) const ADD_RUN_PLUGIN: &str = "INSERT INTO run_plugins \
    (org_id, run_id, place, plugin, file_name, digest) VALUES ($1, $2, $3, $4, $5, $6)";
pub(super) const RUN: &str = "SELECT id, state, requested_by, facts, plugins, findings, errors, \
    created_at, finished_at, error FROM runs WHERE org_id = $1 AND id = $2";
pub(super) const RUN_BY_KEY: &str = "SELECT id, state, requested_by, facts, plugins, findings, \
    errors, created_at, finished_at, error FROM runs WHERE org_id = $1 AND idempotency_key = $2";
pub(super) const RUNS: &str = "SELECT id, state, requested_by, facts, plugins, findings, errors, \
    created_at, finished_at, error FROM runs WHERE org_id = $1 AND id < $2 \
    ORDER BY id DESC LIMIT $3";
pub(super) const FINDINGS: &str = "SELECT id, body FROM findings \
    WHERE org_id = $1 AND run_id = $2 AND id > $3 ORDER BY id LIMIT $4";
pub(super) const CANCEL: &str = "UPDATE runs SET state = 'cancelled', finished_at = $3, \
    lease_until = NULL, facts_bytes = NULL \
    WHERE org_id = $1 AND id = $2 AND state IN ('queued', 'running')";

// The queue serves every organization; a run is taken and ended by its own organization's key.
pub(super) const DUE: &str = "SELECT org_id, id, requested_by, fence, attempts FROM runs \
    WHERE state = 'queued' OR (state = 'running' AND lease_until <= $1) ORDER BY id LIMIT 1";
pub(super) const RECLAIM: &str =
    "UPDATE runs SET lease_until = $1 WHERE state = 'running' AND lease_until > $1";
pub(super) const TAKE: &str = "UPDATE runs SET state = 'running', fence = fence + 1, \
    attempts = attempts + 1, lease_until = $5 WHERE org_id = $1 AND id = $2 AND fence = $3 \
    AND (state = 'queued' OR (state = 'running' AND lease_until <= $4))";
pub(super) const JOB: &str = "SELECT requested_by, fence, attempts, rule_set, facts_format, \
    facts_bytes FROM runs WHERE org_id = $1 AND id = $2";
pub(super) const JOB_PLUGINS: &str = "SELECT r.plugin, r.file_name, r.digest, f.bytes \
    FROM run_plugins r JOIN plugin_files f ON f.org_id = r.org_id AND f.digest = r.digest \
    WHERE r.org_id = $1 AND r.run_id = $2 ORDER BY r.place";
pub(super) const EXTEND: &str = "UPDATE runs SET lease_until = $4 \
    WHERE org_id = $1 AND id = $2 AND fence = $3 AND state = 'running'";
pub(super) const GIVE_BACK: &str = "UPDATE runs SET state = 'queued', lease_until = NULL, \
    error = $4, attempts = attempts - $5 \
    WHERE org_id = $1 AND id = $2 AND fence = $3 AND state = 'running'";
pub(super) const FINISH: &str = "UPDATE runs SET state = $4, findings = $5, errors = $6, \
    error = $7, finished_at = $8, lease_until = NULL, facts_bytes = NULL \
    WHERE org_id = $1 AND id = $2 AND fence = $3 AND state = 'running'";
pub(super) const ADD_FINDING: &str =
    "INSERT INTO findings (org_id, run_id, id, body) VALUES ($1, $2, $3, $4)";
