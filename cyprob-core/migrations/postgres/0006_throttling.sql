-- Counters of failed sign-ins; `subject` is a keyed hash that names nobody, `kind` is 1 for
-- passwords and 2 for second factors, `told` says that the event of the bound was recorded.
CREATE TABLE failures (
    subject BYTEA NOT NULL CHECK (length(subject) = 16),
    kind BIGINT NOT NULL CHECK (kind IN (1, 2)),
    failures BIGINT NOT NULL CHECK (failures > 0),
    last_failed_at BIGINT NOT NULL,
    told BOOLEAN NOT NULL,
    PRIMARY KEY (subject, kind)
);

CREATE INDEX failures_by_weight ON failures (failures, last_failed_at);
