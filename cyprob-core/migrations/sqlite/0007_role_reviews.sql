-- Who last gave, changed or took a role, where it was a person.
ALTER TABLE memberships ADD COLUMN changed_at INTEGER;
ALTER TABLE memberships ADD COLUMN changed_by BLOB REFERENCES users (id);

-- Who held which role at a moment, and who stands for it. At most one of an
-- organization is open; what is signed never changes.
CREATE TABLE role_reviews (
    org_id        BLOB    NOT NULL REFERENCES organizations (id),
    id            BLOB    NOT NULL CHECK (length(id) = 16),
    digest        BLOB    NOT NULL CHECK (length(digest) = 32),
    members       INTEGER NOT NULL,
    mapping       TEXT    NOT NULL,
    opened_by     BLOB    NOT NULL REFERENCES users (id),
    opened_at     INTEGER NOT NULL,
    signed_by     BLOB    REFERENCES users (id),
    signed_at     INTEGER,
    note          TEXT,
    self_reviewed INTEGER CHECK (self_reviewed IN (0, 1)),
    PRIMARY KEY (org_id, id),
    CHECK ((signed_at IS NULL) = (signed_by IS NULL)
       AND (signed_at IS NULL) = (note IS NULL)
       AND (signed_at IS NULL) = (self_reviewed IS NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX role_reviews_open ON role_reviews (org_id) WHERE signed_at IS NULL;

CREATE TRIGGER role_reviews_stay BEFORE UPDATE ON role_reviews WHEN OLD.signed_at IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'a signed review never changes');
END;

CREATE TRIGGER role_reviews_remain BEFORE DELETE ON role_reviews WHEN OLD.signed_at IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'a signed review never goes');
END;
