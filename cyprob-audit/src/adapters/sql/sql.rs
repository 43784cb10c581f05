//! Every statement of these stores.

cyprob_core::sql_statements! {
    ADD_LOG = "INSERT INTO audit_logs (org_id, size) VALUES ($1, 0) ON CONFLICT (org_id) DO NOTHING";
    GROW_LOG = "UPDATE audit_logs SET size = size + $3 WHERE org_id = $1 AND size = $2";
    ADD_ENTRY = "INSERT INTO audit_entries (org_id, idx, event_id, at, actor_id, action, outcome, leaf, aside) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    // All entries of a batch in one message; SQLite has no way to a server that it could save.
    ADD_ENTRIES = sqlite "" postgres "INSERT INTO audit_entries (org_id, idx, event_id, at, actor_id, action, outcome, leaf, aside) SELECT $1, $2 + e.place - 1, e.event_id, e.at, e.actor_id, e.action, e.outcome, e.leaf, e.aside FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bytea[]) WITH ORDINALITY AS e (event_id, at, actor_id, action, outcome, leaf, aside, place)";
    LOGS = "SELECT org_id FROM audit_logs ORDER BY org_id";
    LOG = "SELECT size, signed_size, checkpoint, edge FROM audit_logs WHERE org_id = $1";
    LEAVES = "SELECT idx, leaf FROM audit_entries WHERE org_id = $1 AND idx >= $2 ORDER BY idx LIMIT $3";
    ENTRIES = "SELECT idx, leaf FROM audit_entries WHERE org_id = $1 AND idx >= $2 AND idx < $3 AND at >= $4 AND at < $5 AND ($6 IS NULL OR actor_id = $6) AND ($7 IS NULL OR action = $7) AND ($8 IS NULL OR outcome = $8) ORDER BY idx DESC LIMIT $9";
    INDEX_OF = "SELECT idx FROM audit_entries WHERE event_id = $2 AND org_id = $1";
    SIGN = "UPDATE audit_logs SET signed_size = $2, checkpoint = $3, edge = $4 WHERE org_id = $1 AND size >= $2 AND (signed_size IS NULL OR signed_size < $2)";
    KEY_OF = "SELECT owner, key_id, wrapped FROM audit_subject_keys WHERE org_id = $1 AND owner = $2";
    KEY_BY_ID = "SELECT owner, key_id, wrapped FROM audit_subject_keys WHERE org_id = $1 AND key_id = $2";
    ADD_KEY = "INSERT INTO audit_subject_keys (org_id, owner, key_id, wrapped, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (org_id, owner) DO NOTHING";
}
