-- Whether what a token says of a member still stands, bound to the organization in the same
-- message: a statement by itself is a transaction, and the setting ends with it.
CREATE FUNCTION standing_member(org UUID, session UUID, person UUID, person_epoch BIGINT, member_epoch BIGINT)
RETURNS UUID LANGUAGE plpgsql AS $$
DECLARE
    held UUID;
BEGIN
    PERFORM set_config('cyprob.org', org::text, true);
    SELECT g.org_id INTO held
    FROM sessions s
    JOIN users u ON u.id = s.user_id
    JOIN grants g ON g.org_id = org AND g.session_id = s.id
    JOIN memberships m ON m.org_id = org AND m.user_id = s.user_id
    WHERE s.id = session AND s.user_id = person AND s.ended_at IS NULL
      AND u.epoch = person_epoch AND u.disabled_at IS NULL
      AND g.ended_at IS NULL
      AND m.epoch = member_epoch AND m.ended_at IS NULL;
    RETURN held;
END
$$;
