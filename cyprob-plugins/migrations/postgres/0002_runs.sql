CREATE TABLE runs (
    org_id          UUID             NOT NULL,
    id              UUID             NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    requested_by    UUID             NOT NULL,
    idempotency_key TEXT COLLATE "C",
    facts           BIGINT           NOT NULL,
    plugins         BIGINT           NOT NULL,
    findings        BIGINT           NOT NULL,
    errors          BIGINT           NOT NULL,
    created_at      BIGINT           NOT NULL,
    finished_at     BIGINT,
    error           TEXT,
    rule_set        BYTEA            NOT NULL CHECK (length(rule_set) = 32),
    facts_format    TEXT             NOT NULL,
    facts_bytes     BYTEA,
    fence           BIGINT           NOT NULL,
    attempts        BIGINT           NOT NULL,
    lease_until     BIGINT,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, idempotency_key)
);

-- What a run runs, in order.
CREATE TABLE run_plugins (
    org_id    UUID             NOT NULL,
    run_id    UUID             NOT NULL,
    place     BIGINT           NOT NULL,
    plugin    TEXT COLLATE "C" NOT NULL,
    file_name TEXT             NOT NULL,
    digest    BYTEA            NOT NULL,
    PRIMARY KEY (org_id, run_id, place),
    FOREIGN KEY (org_id, run_id) REFERENCES runs (org_id, id),
    FOREIGN KEY (org_id, digest) REFERENCES plugin_files (org_id, digest)
);

CREATE TABLE findings (
    org_id UUID NOT NULL,
    run_id UUID NOT NULL,
    id     UUID NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (org_id, run_id, id),
    FOREIGN KEY (org_id, run_id) REFERENCES runs (org_id, id)
);

SELECT hold_to_organization('runs', false);
SELECT hold_to_organization('run_plugins', false);
SELECT hold_to_organization('findings', false);
