-- One wrapped key for each owner in each log; owner is a person's id or empty for the log itself.
CREATE TABLE audit_subject_keys (
    org_id     UUID   NOT NULL,
    owner      BYTEA  NOT NULL,
    key_id     BYTEA  NOT NULL CHECK (length(key_id) = 16),
    wrapped    BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, owner),
    UNIQUE (org_id, key_id)
);

SELECT hold_to_organization('audit_subject_keys', false);
