-- One wrapped key for each owner in each log; owner is a person's id or the empty blob for the log itself.
CREATE TABLE audit_subject_keys (
    org_id     BLOB    NOT NULL,
    owner      BLOB    NOT NULL,
    key_id     BLOB    NOT NULL CHECK (length(key_id) = 16),
    wrapped    BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org_id, owner),
    UNIQUE (org_id, key_id)
) STRICT, WITHOUT ROWID;
