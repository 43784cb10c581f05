-- The system log's org_id is 16 zero bytes, as in databases whose identifiers have a type.
PRAGMA defer_foreign_keys = ON;
UPDATE audit_logs SET org_id = zeroblob(16) WHERE org_id = x'';
UPDATE audit_entries SET org_id = zeroblob(16) WHERE org_id = x'';
UPDATE audit_subject_keys SET org_id = zeroblob(16) WHERE org_id = x'';
