-- Who last gave, changed or took a role, where it was a person.
ALTER TABLE memberships ADD COLUMN changed_at BIGINT;
ALTER TABLE memberships ADD COLUMN changed_by UUID REFERENCES users (id);

-- Who held which role at a moment, and who stands for it. At most one of an
-- organization is open; what is signed never changes.
CREATE TABLE role_reviews (
    org_id        UUID   NOT NULL REFERENCES organizations (id),
    id            UUID   NOT NULL,
    digest        BYTEA  NOT NULL CHECK (length(digest) = 32),
    members       BIGINT NOT NULL,
    mapping       TEXT   NOT NULL,
    opened_by     UUID   NOT NULL REFERENCES users (id),
    opened_at     BIGINT NOT NULL,
    signed_by     UUID   REFERENCES users (id),
    signed_at     BIGINT,
    note          TEXT,
    self_reviewed BOOLEAN,
    PRIMARY KEY (org_id, id),
    CHECK ((signed_at IS NULL) = (signed_by IS NULL)
       AND (signed_at IS NULL) = (note IS NULL)
       AND (signed_at IS NULL) = (self_reviewed IS NULL))
);

CREATE UNIQUE INDEX role_reviews_open ON role_reviews (org_id) WHERE signed_at IS NULL;

CREATE FUNCTION keep_signed_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a signed review never changes and never goes';
END
$$;

CREATE TRIGGER role_reviews_stay BEFORE UPDATE OR DELETE ON role_reviews
    FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION keep_signed_review();

SELECT hold_to_organization('role_reviews', false);
