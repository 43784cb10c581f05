CREATE TABLE runs (
    org_id          BLOB    NOT NULL,
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    state           TEXT    NOT NULL,
    requested_by    BLOB    NOT NULL,
    idempotency_key TEXT,
    facts           INTEGER NOT NULL,
    plugins         INTEGER NOT NULL,
    findings        INTEGER NOT NULL,
    errors          INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    finished_at     INTEGER,
    error           TEXT,
    rule_set        BLOB    NOT NULL CHECK (length(rule_set) = 32),
    facts_format    TEXT    NOT NULL,
    facts_bytes     BLOB,
    fence           INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    lease_until     INTEGER,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, idempotency_key)
) STRICT, WITHOUT ROWID;

-- What waits or is leased, the oldest first (ids are in the order of time).
CREATE INDEX runs_open ON runs (id) WHERE state IN ('queued', 'running');

-- What a run runs, in order.
CREATE TABLE run_plugins (
    org_id    BLOB    NOT NULL,
    run_id    BLOB    NOT NULL,
    place     INTEGER NOT NULL,
    plugin    TEXT    NOT NULL,
    file_name TEXT    NOT NULL,
    digest    BLOB    NOT NULL,
    PRIMARY KEY (org_id, run_id, place),
    FOREIGN KEY (org_id, run_id) REFERENCES runs (org_id, id),
    FOREIGN KEY (org_id, digest) REFERENCES plugin_files (org_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE findings (
    org_id BLOB    NOT NULL,
    run_id BLOB    NOT NULL,
    id     BLOB    NOT NULL CHECK (length(id) = 16),
    body   TEXT    NOT NULL,
    PRIMARY KEY (org_id, run_id, id),
    FOREIGN KEY (org_id, run_id) REFERENCES runs (org_id, id)
) STRICT, WITHOUT ROWID;
