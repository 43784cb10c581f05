-- The logs: how far each has come, and the last head that was signed.
-- The system log's org_id is zeros, which is no organization's.
CREATE TABLE audit_logs (
    org_id      UUID   NOT NULL PRIMARY KEY,
    size        BIGINT NOT NULL CHECK (size >= 0),
    signed_size BIGINT CHECK (signed_size <= size),
    checkpoint  BYTEA,
    edge        BYTEA
);

-- The entries: each leaf at its index, with what a query asks for.
CREATE TABLE audit_entries (
    org_id   UUID   NOT NULL REFERENCES audit_logs (org_id),
    idx      BIGINT NOT NULL CHECK (idx >= 0),
    event_id UUID   NOT NULL,
    at       BIGINT NOT NULL,
    actor_id TEXT COLLATE "C",
    action   TEXT COLLATE "C" NOT NULL,
    outcome  TEXT COLLATE "C" NOT NULL,
    leaf     BYTEA  NOT NULL,
    aside    BYTEA,
    PRIMARY KEY (org_id, idx),
    UNIQUE (org_id, event_id)
);

CREATE INDEX audit_entries_at ON audit_entries (org_id, at);

SELECT hold_to_organization('audit_logs', false);
SELECT hold_to_organization('audit_entries', false);
