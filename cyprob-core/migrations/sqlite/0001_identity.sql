CREATE TABLE users (
    id             BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    email          TEXT    NOT NULL UNIQUE,
    email_verified INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
    name           TEXT    NOT NULL,
    password       TEXT,
    epoch          INTEGER NOT NULL,
    administrator  INTEGER NOT NULL CHECK (administrator IN (0, 1)),
    disabled_at    INTEGER,
    created_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE organizations (
    id                  BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    slug                TEXT    NOT NULL UNIQUE,
    name                TEXT    NOT NULL,
    max_session_seconds INTEGER,
    created_at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A membership that ended keeps its row, so that its epoch only grows.
CREATE TABLE memberships (
    org_id   BLOB    NOT NULL REFERENCES organizations (id),
    user_id  BLOB    NOT NULL REFERENCES users (id),
    role     TEXT    NOT NULL,
    epoch    INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (org_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX memberships_of_user ON memberships (user_id);

CREATE TABLE invitations (
    org_id      BLOB    NOT NULL REFERENCES organizations (id),
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    email       TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    inviter     BLOB    REFERENCES users (id),
    token       BLOB    NOT NULL UNIQUE CHECK (length(token) = 32),
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    accepted_at INTEGER,
    revoked_at  INTEGER,
    PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id                  BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id             BLOB    NOT NULL REFERENCES users (id),
    seed                BLOB    NOT NULL CHECK (length(seed) = 32),
    generation          INTEGER NOT NULL,
    refresh_key         INTEGER NOT NULL,
    previous_key        INTEGER,
    rotated_at          INTEGER NOT NULL,
    credential_epoch    INTEGER NOT NULL,
    auth_time           INTEGER NOT NULL,
    aal                 INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    last_used_at        INTEGER NOT NULL,
    idle_expires_at     INTEGER NOT NULL,
    absolute_expires_at INTEGER NOT NULL,
    ended_at            INTEGER,
    end_reason          TEXT,
    client              TEXT,
    ip_address          TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_of_user ON sessions (user_id, id);

CREATE TABLE grants (
    org_id     BLOB    NOT NULL REFERENCES organizations (id),
    session_id BLOB    NOT NULL REFERENCES sessions (id),
    created_at INTEGER NOT NULL,
    ended_at   INTEGER,
    PRIMARY KEY (org_id, session_id)
) STRICT, WITHOUT ROWID;

-- kind: 1 session, 2 grant, 3 user epoch, 4 membership epoch.
CREATE TABLE revocations (
    kind       INTEGER NOT NULL,
    subject    BLOB    NOT NULL,
    org_id     BLOB,
    epoch      INTEGER,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX revocations_by_expiry ON revocations (expires_at);

-- One row: the one-way door of the first administrator.
CREATE TABLE bootstrap (
    one             INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    token           BLOB,
    expires_at      INTEGER,
    bootstrapped_at INTEGER
) STRICT;

INSERT INTO bootstrap (one) VALUES (1);

CREATE TABLE audit_outbox (
    place  INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id     BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    org_id BLOB,
    body   TEXT    NOT NULL
) STRICT;
