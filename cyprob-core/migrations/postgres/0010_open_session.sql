-- A new session and its first grant, in one message: bound to the grant's organization as the
-- statement begins. Nothing is stored where the credential was changed or the account switched
-- off since its check, or where the organization asks for a factor that was not shown.
CREATE FUNCTION open_session(
    session UUID, person UUID, seed BYTEA, generation BIGINT, refresh_key BIGINT,
    previous_key BIGINT, rotated_at BIGINT, credential_epoch BIGINT, auth_time BIGINT,
    aal BIGINT, opened_at BIGINT, last_used_at BIGINT, idle_expires_at BIGINT,
    absolute_expires_at BIGINT, client TEXT, ip_address TEXT, org UUID, granted_at BIGINT
)
RETURNS BOOLEAN LANGUAGE plpgsql AS $$
#variable_conflict use_variable
BEGIN
    PERFORM set_config('cyprob.org', coalesce(org::text, ''), true),
            -- Whoever asked has gone by then.
            set_config('lock_timeout', '1000', true);
    PERFORM 1 FROM users u
    WHERE u.id = person AND u.epoch = credential_epoch AND u.disabled_at IS NULL
    FOR SHARE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF org IS NOT NULL THEN
        PERFORM 1 FROM organizations o
        WHERE o.id = org AND (aal > 1 OR NOT o.factor_required)
        FOR SHARE;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END IF;
    INSERT INTO sessions (
        id, user_id, seed, generation, refresh_key, previous_key, rotated_at, credential_epoch,
        auth_time, aal, created_at, last_used_at, idle_expires_at, absolute_expires_at, client,
        ip_address
    ) VALUES (
        session, person, seed, generation, refresh_key, previous_key, rotated_at,
        credential_epoch, auth_time, aal, opened_at, last_used_at, idle_expires_at,
        absolute_expires_at, client, ip_address
    );
    IF org IS NOT NULL THEN
        INSERT INTO grants (org_id, session_id, created_at) VALUES (org, session, granted_at);
    END IF;
    RETURN true;
END
$$;
