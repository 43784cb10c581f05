ALTER TABLE organizations ADD COLUMN factor_required BOOLEAN NOT NULL DEFAULT false;

-- The secret is sealed under a key that is not in this database.
CREATE TABLE second_factors (
    user_id       UUID   NOT NULL PRIMARY KEY REFERENCES users (id),
    secret        BYTEA  NOT NULL,
    last_step     BIGINT NOT NULL,
    activated_at  BIGINT NOT NULL,
    codes_made_at BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    user_id UUID  NOT NULL REFERENCES second_factors (user_id),
    digest  BYTEA NOT NULL CHECK (length(digest) = 32),
    used_at BIGINT,
    PRIMARY KEY (user_id, digest)
);

-- One at a time for each session.
CREATE TABLE factor_enrolments (
    session_id UUID   NOT NULL PRIMARY KEY REFERENCES sessions (id),
    user_id    UUID   NOT NULL REFERENCES users (id),
    secret     BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX factor_enrolments_of_user ON factor_enrolments (user_id);
