-- Identity. The number and the meaning are those of SQLite's migration.
--
-- Tables with an org_id belong to organizations: row level security holds every
-- role to what its transaction is bound to, the owner of the tables too. Their
-- primary, unique and foreign keys begin with the organization, since keys are
-- checked past row security and would tell of another organization's rows.
-- Names and addresses compare byte by byte ("C"), as in SQLite.

CREATE TABLE users (
    id             UUID             NOT NULL PRIMARY KEY,
    email          TEXT COLLATE "C" NOT NULL UNIQUE,
    email_verified BOOLEAN          NOT NULL,
    name           TEXT             NOT NULL,
    password       TEXT,
    epoch          BIGINT           NOT NULL,
    administrator  BOOLEAN          NOT NULL,
    disabled_at    BIGINT,
    created_at     BIGINT           NOT NULL
);

CREATE TABLE organizations (
    id                  UUID             NOT NULL PRIMARY KEY,
    slug                TEXT COLLATE "C" NOT NULL UNIQUE,
    name                TEXT             NOT NULL,
    max_session_seconds BIGINT,
    created_at          BIGINT           NOT NULL
);

-- A membership that ended keeps its row, so that its epoch only grows.
CREATE TABLE memberships (
    org_id   UUID             NOT NULL REFERENCES organizations (id),
    user_id  UUID             NOT NULL REFERENCES users (id),
    role     TEXT COLLATE "C" NOT NULL,
    epoch    BIGINT           NOT NULL,
    since    BIGINT           NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (org_id, user_id)
);

CREATE INDEX memberships_of_user ON memberships (user_id);

CREATE TABLE invitations (
    org_id      UUID             NOT NULL REFERENCES organizations (id),
    id          UUID             NOT NULL,
    email       TEXT COLLATE "C" NOT NULL,
    role        TEXT COLLATE "C" NOT NULL,
    inviter     UUID             REFERENCES users (id),
    token       BYTEA            NOT NULL CHECK (length(token) = 32),
    created_at  BIGINT           NOT NULL,
    expires_at  BIGINT           NOT NULL,
    accepted_at BIGINT,
    revoked_at  BIGINT,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, token)
);

CREATE INDEX invitations_by_token ON invitations (token);

CREATE TABLE sessions (
    id                  UUID   NOT NULL PRIMARY KEY,
    user_id             UUID   NOT NULL REFERENCES users (id),
    seed                BYTEA  NOT NULL CHECK (length(seed) = 32),
    generation          BIGINT NOT NULL,
    refresh_key         BIGINT NOT NULL,
    previous_key        BIGINT,
    rotated_at          BIGINT NOT NULL,
    credential_epoch    BIGINT NOT NULL,
    auth_time           BIGINT NOT NULL,
    aal                 BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    last_used_at        BIGINT NOT NULL,
    idle_expires_at     BIGINT NOT NULL,
    absolute_expires_at BIGINT NOT NULL,
    ended_at            BIGINT,
    end_reason          TEXT,
    client              TEXT,
    ip_address          TEXT
);

CREATE INDEX sessions_of_user ON sessions (user_id, id);

CREATE TABLE grants (
    org_id     UUID   NOT NULL REFERENCES organizations (id),
    session_id UUID   NOT NULL REFERENCES sessions (id),
    created_at BIGINT NOT NULL,
    ended_at   BIGINT,
    PRIMARY KEY (org_id, session_id)
);

-- kind: 1 session, 2 grant, 3 user epoch, 4 membership epoch.
-- tx tells a reader which rows a transaction that was still open may add behind its back.
CREATE TABLE revocations (
    place      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tx         xid8   NOT NULL DEFAULT pg_current_xact_id(),
    kind       BIGINT NOT NULL,
    subject    UUID   NOT NULL,
    org_id     UUID,
    epoch      BIGINT,
    expires_at BIGINT NOT NULL
);

CREATE INDEX revocations_by_expiry ON revocations (expires_at);
CREATE INDEX revocations_by_tx ON revocations (tx);

-- Whoever listens looks at the table as soon as the transaction commits.
CREATE FUNCTION tell_of_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('cyprob_revocations', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_revocation AFTER INSERT ON revocations
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_revocation();

-- One row: the one-way door of the first administrator.
CREATE TABLE bootstrap (
    one             BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    token           BYTEA,
    expires_at      BIGINT,
    bootstrapped_at BIGINT
);

INSERT INTO bootstrap (one) VALUES (1);

CREATE TABLE audit_outbox (
    place  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id UUID,
    id     UUID NOT NULL,
    body   TEXT NOT NULL,
    UNIQUE NULLS NOT DISTINCT (org_id, id)
);

CREATE INDEX audit_outbox_by_id ON audit_outbox (id);

-- A table of rows that each belong to one organization, or (mixed) to one or to none.
--
-- Rows are seen and written by transactions that are bound to their organization
-- (cyprob.org) or do work across organizations (cyprob.system). Of a mixed table
-- any transaction may write rows of no organization, and only the latter see them.
CREATE FUNCTION hold_to_organization(tenant regclass, mixed boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    own text := $p$org_id = nullif(current_setting('cyprob.org', true), '')::uuid$p$;
    all_of_them text := $p$current_setting('cyprob.system', true) = 'on'$p$;
    none text := CASE WHEN mixed THEN ' OR org_id IS NULL' ELSE '' END;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tenant);
    EXECUTE format('CREATE POLICY held ON %s USING (%s OR %s) WITH CHECK (%s OR %s%s)',
        tenant, own, all_of_them, own, all_of_them, none);
END
$$;

-- What the runtime role may do, and the auditor's; repeated after each migration.
CREATE FUNCTION grant_roles(runtime name, auditor name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA cyprob TO %I, %I', runtime, auditor);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA cyprob TO %I', runtime);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA cyprob TO %I', auditor);
END
$$;

REVOKE EXECUTE ON FUNCTION hold_to_organization, grant_roles FROM PUBLIC;

SELECT hold_to_organization('memberships', false);
SELECT hold_to_organization('invitations', false);
SELECT hold_to_organization('grants', false);
SELECT hold_to_organization('revocations', true);
SELECT hold_to_organization('audit_outbox', true);

-- A person sees their own memberships, to choose an organization.
CREATE POLICY own ON memberships FOR SELECT
    USING (user_id = nullif(current_setting('cyprob.user', true), '')::uuid);
