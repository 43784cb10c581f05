-- A person's memberships with what a session has in each organization, in one message: bound to
-- the person to find them, and to each organization in turn to look into it. A statement by itself
-- is a transaction, and the settings end with it.
CREATE FUNCTION session_accesses(person UUID, session UUID)
RETURNS TABLE (
    org_id UUID, slug TEXT, role TEXT, member_epoch BIGINT,
    max_session_seconds BIGINT, factor_required BOOLEAN,
    role_id UUID, role_epoch BIGINT, granted_at BIGINT, grant_ended_at BIGINT
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    held RECORD;
BEGIN
    PERFORM set_config('cyprob.user', person::text, true);
    FOR held IN
        SELECT m.org_id, o.slug, m.role, m.epoch, o.max_session_seconds, o.factor_required
        FROM memberships m JOIN organizations o ON o.id = m.org_id
        WHERE m.user_id = person AND m.ended_at IS NULL ORDER BY o.slug
    LOOP
        PERFORM set_config('cyprob.org', held.org_id::text, true);
        RETURN QUERY
            SELECT held.org_id, held.slug, held.role, held.epoch,
                   held.max_session_seconds, held.factor_required,
                   r.id, r.epoch, g.created_at, g.ended_at
            FROM (SELECT 1) one
            LEFT JOIN roles r ON r.org_id = held.org_id AND r.name = held.role
            LEFT JOIN grants g ON g.org_id = held.org_id AND g.session_id = session;
    END LOOP;
END
$$;

-- The same for many sessions at once, of whatever people: so across organizations, for these
-- sessions' own people and grants alone.
CREATE FUNCTION sessions_accesses(wanted UUID[])
RETURNS TABLE (
    of_session UUID, org_id UUID, slug TEXT, role TEXT, member_epoch BIGINT,
    max_session_seconds BIGINT, factor_required BOOLEAN,
    role_id UUID, role_epoch BIGINT, granted_at BIGINT, grant_ended_at BIGINT
)
LANGUAGE plpgsql AS $$
DECLARE
    across TEXT := set_config('cyprob.system', 'on', true);
BEGIN
    RETURN QUERY
        SELECT s.id, m.org_id, o.slug, m.role, m.epoch,
               o.max_session_seconds, o.factor_required, r.id, r.epoch, g.created_at, g.ended_at
        FROM unnest(wanted) w (id)
        JOIN sessions s ON s.id = w.id
        JOIN memberships m ON m.user_id = s.user_id AND m.ended_at IS NULL
        JOIN organizations o ON o.id = m.org_id
        LEFT JOIN roles r ON r.org_id = m.org_id AND r.name = m.role
        LEFT JOIN grants g ON g.org_id = m.org_id AND g.session_id = s.id;
    across := set_config('cyprob.system', '', true);
END
$$;

-- A token that is asked for leaves the earlier ones good: whoever asks for another cannot take them away.
DROP TABLE password_resets;
CREATE TABLE password_resets (
    user_id    UUID   NOT NULL REFERENCES users (id),
    token      BYTEA  NOT NULL UNIQUE CHECK (length(token) = 32),
    epoch      BIGINT NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, token)
);
