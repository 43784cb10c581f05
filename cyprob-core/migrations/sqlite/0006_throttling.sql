-- Counters of failed sign-ins; `subject` is a keyed hash that names nobody, `kind` is 1 for
-- passwords and 2 for second factors, `told` says that the event of the bound was recorded.
CREATE TABLE failures (
    subject BLOB NOT NULL CHECK (length(subject) = 16),
    kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
    failures INTEGER NOT NULL CHECK (failures > 0),
    last_failed_at INTEGER NOT NULL,
    told INTEGER NOT NULL CHECK (told IN (0, 1)),
    PRIMARY KEY (subject, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX failures_by_weight ON failures (failures, last_failed_at);
