ALTER TABLE organizations ADD COLUMN factor_required INTEGER NOT NULL DEFAULT 0 CHECK (factor_required IN (0, 1));

-- The secret is sealed under a key that is not in this database.
CREATE TABLE second_factors (
    user_id       BLOB    NOT NULL PRIMARY KEY REFERENCES users (id),
    secret        BLOB    NOT NULL,
    last_step     INTEGER NOT NULL,
    activated_at  INTEGER NOT NULL,
    codes_made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_codes (
    user_id BLOB    NOT NULL REFERENCES second_factors (user_id),
    digest  BLOB    NOT NULL CHECK (length(digest) = 32),
    used_at INTEGER,
    PRIMARY KEY (user_id, digest)
) STRICT, WITHOUT ROWID;

-- One at a time for each session.
CREATE TABLE factor_enrolments (
    session_id BLOB    NOT NULL PRIMARY KEY REFERENCES sessions (id),
    user_id    BLOB    NOT NULL REFERENCES users (id),
    secret     BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX factor_enrolments_of_user ON factor_enrolments (user_id);
