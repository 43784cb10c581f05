//! Every statement of this adapter.

pub(super) const ADD_LOG: &str =
    "INSERT INTO audit_logs (org_id, size) VALUES ($1, 0) ON CONFLICT (org_id) DO NOTHING";
pub(super) const GROW_LOG: &str =
    "UPDATE audit_logs SET size = size + $3 WHERE org_id = $1 AND size = $2";
pub(super) const ADD_ENTRY: &str = "INSERT INTO audit_entries \
    (org_id, idx, event_id, at, actor_id, action, outcome, leaf, aside) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
pub(super) const LOGS: &str = "SELECT org_id FROM audit_logs ORDER BY org_id";
pub(super) const LOG: &str =
    "SELECT size, signed_size, checkpoint, edge FROM audit_logs WHERE org_id = $1";
pub(super) const LEAVES: &str = "SELECT idx, leaf FROM audit_entries \
    WHERE org_id = $1 AND idx >= $2 ORDER BY idx LIMIT $3";
pub(super) const ENTRIES: &str = "SELECT idx, leaf FROM audit_entries \
    WHERE org_id = $1 AND idx >= $2 AND idx < $3 AND at >= $4 AND at < $5 \
    AND ($6 IS NULL OR actor_id = $6) AND ($7 IS NULL OR action = $7) \
    AND ($8 IS NULL OR outcome = $8) ORDER BY idx DESC LIMIT $9";
pub(super) const INDEX_OF: &str =
    "SELECT idx FROM audit_entries WHERE event_id = $2 AND org_id = $1";
pub(super) const SIGN: &str = "UPDATE audit_logs SET signed_size = $2, checkpoint = $3, edge = $4 \
    WHERE org_id = $1 AND size >= $2 AND (signed_size IS NULL OR signed_size < $2)";
pub(super) const KEY_OF: &str =
    "SELECT owner, key_id, wrapped FROM audit_subject_keys WHERE org_id = $1 AND owner = $2";
pub(super) const KEY_BY_ID: &str =
    "SELECT owner, key_id, wrapped FROM audit_subject_keys WHERE org_id = $1 AND key_id = $2";
pub(super) const ADD_KEY: &str = "INSERT INTO audit_subject_keys \
    (org_id, owner, key_id, wrapped, created_at) VALUES ($1, $2, $3, $4, $5)";
