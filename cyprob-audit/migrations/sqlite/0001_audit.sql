-- The logs: how far each has come, and the last head that was signed.
-- The system log's org_id is the empty blob.
CREATE TABLE audit_logs (
    org_id      BLOB    NOT NULL PRIMARY KEY,
    size        INTEGER NOT NULL CHECK (size >= 0),
    signed_size INTEGER CHECK (signed_size <= size),
    checkpoint  BLOB,
    edge        BLOB
) STRICT, WITHOUT ROWID;

-- The entries: each leaf at its index, with what a query asks for.
CREATE TABLE audit_entries (
    org_id   BLOB    NOT NULL REFERENCES audit_logs (org_id),
    idx      INTEGER NOT NULL CHECK (idx >= 0),
    event_id BLOB    NOT NULL UNIQUE,
    at       INTEGER NOT NULL,
    actor_id TEXT,
    action   TEXT    NOT NULL,
    outcome  TEXT    NOT NULL,
    leaf     BLOB    NOT NULL,
    aside    BLOB,
    PRIMARY KEY (org_id, idx)
) STRICT;

CREATE INDEX audit_entries_at ON audit_entries (org_id, at);
