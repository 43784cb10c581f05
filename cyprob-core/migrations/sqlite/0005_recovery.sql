-- At most one token that resets a password for a person; it is dead at any other epoch.
CREATE TABLE password_resets (
    user_id    BLOB    NOT NULL PRIMARY KEY REFERENCES users (id),
    token      BLOB    NOT NULL UNIQUE CHECK (length(token) = 32),
    epoch      INTEGER NOT NULL,
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A change of address is open until it is confirmed, then open to objection until object_until.
CREATE TABLE email_changes (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id      BLOB    NOT NULL REFERENCES users (id),
    from_email   TEXT    NOT NULL,
    to_email     TEXT    NOT NULL,
    epoch        INTEGER NOT NULL,
    token        BLOB    NOT NULL UNIQUE CHECK (length(token) = 32),
    made_at      INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    object_until INTEGER,
    objection    BLOB    UNIQUE CHECK (length(objection) = 32)
) STRICT, WITHOUT ROWID;

CREATE INDEX email_changes_of_user ON email_changes (user_id);
CREATE INDEX email_changes_from ON email_changes (from_email);

-- What people are to be told of, made from the event in its transaction. No address and no secret.
CREATE TABLE notices (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id      BLOB    NOT NULL,
    kind         TEXT    NOT NULL,
    email_change BLOB,
    at           INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX notices_by_due ON notices (due_at);

-- Sessions opened up to this time get no further grant.
ALTER TABLE organizations ADD COLUMN signed_out_until INTEGER;

-- kind: 5 everyone's sessions opened up to a time, 6 a person's, 7 an organization's; all but the one kept.
ALTER TABLE revocations ADD COLUMN opened_until INTEGER;
ALTER TABLE revocations ADD COLUMN kept BLOB;
