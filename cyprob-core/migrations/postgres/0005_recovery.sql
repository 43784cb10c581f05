-- At most one token that resets a password for a person; it is dead at any other epoch.
CREATE TABLE password_resets (
    user_id    UUID   NOT NULL PRIMARY KEY REFERENCES users (id),
    token      BYTEA  NOT NULL UNIQUE CHECK (length(token) = 32),
    epoch      BIGINT NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- A change of address is open until it is confirmed, then open to objection until object_until.
CREATE TABLE email_changes (
    id           UUID             NOT NULL PRIMARY KEY,
    user_id      UUID             NOT NULL REFERENCES users (id),
    from_email   TEXT COLLATE "C" NOT NULL,
    to_email     TEXT COLLATE "C" NOT NULL,
    epoch        BIGINT           NOT NULL,
    token        BYTEA            NOT NULL UNIQUE CHECK (length(token) = 32),
    made_at      BIGINT           NOT NULL,
    expires_at   BIGINT           NOT NULL,
    object_until BIGINT,
    objection    BYTEA            UNIQUE CHECK (length(objection) = 32)
);

CREATE INDEX email_changes_of_user ON email_changes (user_id);
CREATE INDEX email_changes_from ON email_changes (from_email);

-- What people are to be told of, made from the event in its transaction. No address and no secret.
CREATE TABLE notices (
    id           UUID             NOT NULL PRIMARY KEY,
    user_id      UUID             NOT NULL,
    kind         TEXT COLLATE "C" NOT NULL,
    email_change UUID,
    at           BIGINT           NOT NULL,
    due_at       BIGINT           NOT NULL,
    attempts     BIGINT           NOT NULL
);

CREATE INDEX notices_by_due ON notices (due_at);

-- Sessions opened up to this time get no further grant.
ALTER TABLE organizations ADD COLUMN signed_out_until BIGINT;

-- kind: 5 everyone's sessions opened up to a time, 6 a person's, 7 an organization's; all but the one kept.
ALTER TABLE revocations ADD COLUMN opened_until BIGINT;
ALTER TABLE revocations ADD COLUMN kept UUID;
