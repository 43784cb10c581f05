CREATE TABLE roles (
    org_id      BLOB    NOT NULL REFERENCES organizations (id),
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    name        TEXT    NOT NULL,
    permissions TEXT    NOT NULL,
    epoch       INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE service_accounts (
    org_id     BLOB    NOT NULL REFERENCES organizations (id),
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    owner      BLOB    NOT NULL REFERENCES users (id),
    epoch      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE service_keys (
    org_id     BLOB    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    account_id BLOB    NOT NULL,
    digest     BLOB    NOT NULL CHECK (length(digest) = 32),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_used  INTEGER,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, account_id) REFERENCES service_accounts (org_id, id)
) STRICT, WITHOUT ROWID;

-- A key is found by its id before its organization is known.
CREATE INDEX service_keys_by_id ON service_keys (id);
CREATE INDEX service_keys_of_account ON service_keys (org_id, account_id);

-- Who invites: a user, or a service account of the organization, or neither where the deployment does.
ALTER TABLE invitations ADD COLUMN inviter_service BLOB;

-- revocations, kind: 8 version of a role, 9 service account's epoch, 10 service key.
