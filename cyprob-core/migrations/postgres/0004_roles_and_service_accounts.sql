CREATE TABLE roles (
    org_id      UUID   NOT NULL REFERENCES organizations (id),
    id          UUID   NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    permissions TEXT   NOT NULL,
    epoch       BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, name)
);

CREATE TABLE service_accounts (
    org_id     UUID   NOT NULL REFERENCES organizations (id),
    id         UUID   NOT NULL,
    name       TEXT   NOT NULL,
    role       TEXT COLLATE "C" NOT NULL,
    owner      UUID   NOT NULL REFERENCES users (id),
    epoch      BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);

CREATE TABLE service_keys (
    org_id     UUID   NOT NULL,
    id         UUID   NOT NULL,
    account_id UUID   NOT NULL,
    digest     BYTEA  NOT NULL CHECK (length(digest) = 32),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used  BIGINT,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, account_id) REFERENCES service_accounts (org_id, id)
);

-- A key is found by its id before its organization is known.
CREATE INDEX service_keys_by_id ON service_keys (id);
CREATE INDEX service_keys_of_account ON service_keys (org_id, account_id);

-- Who invites: a user, or a service account of the organization, or neither where the deployment does.
ALTER TABLE invitations ADD COLUMN inviter_service UUID;

-- revocations, kind: 8 version of a role, 9 service account's epoch, 10 service key.

SELECT hold_to_organization('roles', false);
SELECT hold_to_organization('service_accounts', false);
SELECT hold_to_organization('service_keys', false);
