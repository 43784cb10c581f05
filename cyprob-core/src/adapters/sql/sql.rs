//! Every statement of these stores. In tenant-scoped ones `$1` is the organization.

crate::sql_statements! {
    IS_BOOTSTRAPPED = "SELECT bootstrapped_at IS NOT NULL AS done FROM bootstrap WHERE one = 1";
    ARM = "UPDATE bootstrap SET token = $1, expires_at = $2 WHERE one = 1 AND bootstrapped_at IS NULL";
    READ_BOOTSTRAP = "SELECT token, expires_at, bootstrapped_at FROM bootstrap WHERE one = 1";
    LOCK_BOOTSTRAP = sqlite "" postgres "SELECT one FROM bootstrap WHERE one = 1 FOR UPDATE";
    CLOSE_BOOTSTRAP = "UPDATE bootstrap SET bootstrapped_at = $1, token = NULL, expires_at = NULL WHERE one = 1";

    INSERT_USER = "INSERT INTO users (id, email, email_verified, name, password, epoch, administrator, disabled_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (email) DO NOTHING";
    USER_BY_ID = "SELECT id, email, email_verified, name, password, epoch, administrator, disabled_at, created_at FROM users WHERE id = $1";
    USER_BY_EMAIL = "SELECT id, email, email_verified, name, password, epoch, administrator, disabled_at, created_at FROM users WHERE email = $1";
    ACCOUNT_BY_EMAIL = "SELECT u.id, u.email, u.email_verified, u.name, u.password, u.epoch, u.administrator, u.disabled_at, u.created_at, f.user_id, f.secret, f.last_step, f.activated_at, (SELECT count(*) FROM recovery_codes c WHERE c.user_id = f.user_id AND c.used_at IS NULL) AS codes_left FROM users u LEFT JOIN second_factors f ON f.user_id = u.id WHERE u.email = $1";
    REHASH = "UPDATE users SET password = $1 WHERE id = $2 AND password = $3";
    CHANGE_PASSWORD = "UPDATE users SET password = $1, epoch = epoch + 1 WHERE id = $2 AND epoch = $3 AND disabled_at IS NULL";
    MEMBERSHIPS_OF_USER = "SELECT m.org_id, o.slug, m.role, m.epoch FROM memberships m JOIN organizations o ON o.id = m.org_id WHERE m.user_id = $1 AND m.ended_at IS NULL ORDER BY o.slug";

    INSERT_ORG = "INSERT INTO organizations (id, slug, name, max_session_seconds, factor_required, created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (slug) DO NOTHING";
    ORG_BY_ID = "SELECT id, slug, name, max_session_seconds, factor_required, created_at FROM organizations WHERE id = $1";
    ORG_BY_SLUG = "SELECT id, slug, name, max_session_seconds, factor_required, created_at FROM organizations WHERE slug = $1";
    ORGS = "SELECT id, slug, name, max_session_seconds, factor_required, created_at FROM organizations WHERE id > $1 ORDER BY id LIMIT $2";
    RENAME_ORG = "UPDATE organizations SET name = $2 WHERE id = $1";
    SET_ORG_BOUND = "UPDATE organizations SET max_session_seconds = $2 WHERE id = $1";
    SET_ORG_FACTOR = "UPDATE organizations SET factor_required = $2 WHERE id = $1";
    TENANT_END_WEAK_GRANTS = "UPDATE grants SET ended_at = $2 WHERE org_id = $1 AND ended_at IS NULL AND EXISTS (SELECT 1 FROM sessions s WHERE s.id = grants.session_id AND s.aal < 2 AND s.ended_at IS NULL) RETURNING session_id";

    LOCK_ORG = sqlite "" postgres "SELECT id FROM organizations WHERE id = $1 FOR UPDATE";

    TENANT_MEMBERS = "SELECT u.id, u.email, u.name, u.disabled_at, m.role, m.since FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.org_id = $1 AND m.ended_at IS NULL AND m.user_id > $2 ORDER BY m.user_id LIMIT $3";
    TENANT_MEMBER = "SELECT u.id, u.email, u.name, u.disabled_at, m.role, m.since FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.org_id = $1 AND m.ended_at IS NULL AND m.user_id = $2";
    TENANT_OTHER_OWNERS = "SELECT user_id FROM memberships WHERE org_id = $1 AND ended_at IS NULL AND role = 'owner' AND user_id <> $2 LIMIT 1";
    TENANT_SET_ROLE = "UPDATE memberships SET role = $4, epoch = epoch + 1 WHERE org_id = $1 AND user_id = $2 AND role = $3 AND ended_at IS NULL RETURNING epoch";
    TENANT_END_MEMBERSHIP = "UPDATE memberships SET ended_at = $4, epoch = epoch + 1 WHERE org_id = $1 AND user_id = $2 AND role = $3 AND ended_at IS NULL RETURNING epoch";
    TENANT_JOIN = "INSERT INTO memberships (org_id, user_id, role, epoch, since) VALUES ($1, $2, $3, 1, $4) ON CONFLICT (org_id, user_id) DO UPDATE SET role = excluded.role, epoch = memberships.epoch + 1, since = excluded.since, ended_at = NULL WHERE memberships.ended_at IS NOT NULL AND memberships.org_id = $1";
    TENANT_END_GRANTS_OF_USER = "UPDATE grants SET ended_at = $3 WHERE org_id = $1 AND ended_at IS NULL AND session_id IN (SELECT id FROM sessions WHERE user_id = $2)";

    TENANT_MARK_CHANGED = "UPDATE memberships SET changed_at = $3, changed_by = $4 WHERE org_id = $1 AND user_id = $2";
    TENANT_CHANGED_ROLES = "SELECT user_id FROM memberships WHERE org_id = $1 AND changed_by = $2 AND changed_at >= $3 LIMIT 1";
    TENANT_ROLE_HOLDERS = "SELECT u.id, u.email, u.name, m.role, m.since, (SELECT max(s.last_used_at) FROM grants g JOIN sessions s ON s.id = g.session_id WHERE g.org_id = $1 AND s.user_id = m.user_id) AS last_used_at FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.org_id = $1 AND m.ended_at IS NULL ORDER BY m.user_id";
    TENANT_DROP_OPEN_REVIEW = "DELETE FROM role_reviews WHERE org_id = $1 AND signed_at IS NULL";
    TENANT_INSERT_REVIEW = "INSERT INTO role_reviews (org_id, id, digest, members, mapping, opened_by, opened_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    TENANT_REVIEWS = "SELECT id, digest, members, opened_by, opened_at, signed_by, signed_at, note, self_reviewed FROM role_reviews WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    TENANT_LAST_SIGNED_REVIEW = "SELECT id, digest, members, opened_by, opened_at, signed_by, signed_at, note, self_reviewed FROM role_reviews WHERE org_id = $1 AND signed_at IS NOT NULL ORDER BY opened_at DESC, id DESC LIMIT 1";
    TENANT_REVIEW = "SELECT id, digest, members, mapping, opened_by, opened_at, signed_by, signed_at, note, self_reviewed FROM role_reviews WHERE org_id = $1 AND id = $2";
    TENANT_SIGN_REVIEW = "UPDATE role_reviews SET signed_by = $3, signed_at = $4, note = $5, self_reviewed = $6 WHERE org_id = $1 AND id = $2 AND signed_at IS NULL";

    TENANT_INSERT_INVITATION = "INSERT INTO invitations (org_id, id, email, role, inviter, inviter_service, token, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    TENANT_INVITATIONS = "SELECT org_id, id, email, role, inviter, inviter_service, token, created_at, expires_at, accepted_at, revoked_at FROM invitations WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    TENANT_REVOKE_INVITATION = "UPDATE invitations SET revoked_at = $3 WHERE org_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $3";
    INVITATION_BY_TOKEN = "SELECT org_id, id, email, role, inviter, inviter_service, token, created_at, expires_at, accepted_at, revoked_at FROM invitations WHERE token = $1";
    TENANT_USE_INVITATION = "UPDATE invitations SET accepted_at = $3 WHERE org_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $3";

    TENANT_ROLES = "SELECT id, name, permissions, epoch, created_at, updated_at FROM roles WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    TENANT_ROLE = "SELECT id, name, permissions, epoch, created_at, updated_at FROM roles WHERE org_id = $1 AND name = $2";
    TENANT_ROLE_BY_ID = "SELECT id, name, permissions, epoch, created_at, updated_at FROM roles WHERE org_id = $1 AND id = $2";
    TENANT_ROLE_AT = sqlite "SELECT id FROM roles WHERE org_id = $1 AND id = $2 AND epoch = $3" postgres "SELECT id FROM roles WHERE org_id = $1 AND id = $2 AND epoch = $3 FOR SHARE";
    TENANT_LOCK_ROLE = sqlite "SELECT name FROM roles WHERE org_id = $1 AND id = $2 AND epoch = $3" postgres "SELECT name FROM roles WHERE org_id = $1 AND id = $2 AND epoch = $3 FOR UPDATE";
    TENANT_INSERT_ROLE = "INSERT INTO roles (org_id, id, name, permissions, epoch, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (org_id, name) DO NOTHING";
    TENANT_COUNT_ROLES = "SELECT count(*) AS number FROM roles WHERE org_id = $1";
    TENANT_EDIT_ROLE = "UPDATE roles SET permissions = $4, epoch = epoch + 1, updated_at = $5 WHERE org_id = $1 AND id = $2 AND epoch = $3";
    TENANT_DELETE_ROLE = "DELETE FROM roles WHERE org_id = $1 AND id = $2";
    TENANT_ROLE_USE = "SELECT (SELECT count(*) FROM memberships WHERE org_id = $1 AND role = $2 AND ended_at IS NULL) AS members, (SELECT count(*) FROM service_accounts WHERE org_id = $1 AND role = $2) AS service_accounts, (SELECT count(*) FROM invitations WHERE org_id = $1 AND role = $2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $3) AS invitations";

    TENANT_SERVICE_ACCOUNTS = "SELECT a.id, a.name, a.role, a.owner, a.epoch, a.created_at, EXISTS (SELECT 1 FROM memberships m WHERE m.org_id = $1 AND m.user_id = a.owner AND m.ended_at IS NULL) AS owner_is_here FROM service_accounts a WHERE a.org_id = $1 AND a.id > $2 ORDER BY a.id LIMIT $3";
    TENANT_SERVICE_ACCOUNT = "SELECT a.id, a.name, a.role, a.owner, a.epoch, a.created_at, EXISTS (SELECT 1 FROM memberships m WHERE m.org_id = $1 AND m.user_id = a.owner AND m.ended_at IS NULL) AS owner_is_here FROM service_accounts a WHERE a.org_id = $1 AND a.id = $2";
    TENANT_SERVICE_ACCOUNT_AT = sqlite "SELECT id FROM service_accounts WHERE org_id = $1 AND id = $2 AND epoch = $3" postgres "SELECT id FROM service_accounts WHERE org_id = $1 AND id = $2 AND epoch = $3 FOR SHARE";
    TENANT_LOCK_SERVICE_ACCOUNT = sqlite "SELECT id FROM service_accounts WHERE org_id = $1 AND id = $2 AND epoch = $3" postgres "SELECT id FROM service_accounts WHERE org_id = $1 AND id = $2 AND epoch = $3 FOR UPDATE";
    TENANT_INSERT_SERVICE_ACCOUNT = "INSERT INTO service_accounts (org_id, id, name, role, owner, epoch, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    TENANT_COUNT_SERVICE_ACCOUNTS = "SELECT count(*) AS number FROM service_accounts WHERE org_id = $1";
    TENANT_CHANGE_SERVICE_ACCOUNT = "UPDATE service_accounts SET role = COALESCE($4, role), owner = COALESCE($5, owner), epoch = epoch + 1 WHERE org_id = $1 AND id = $2 AND epoch = $3";
    TENANT_DELETE_SERVICE_ACCOUNT = "DELETE FROM service_accounts WHERE org_id = $1 AND id = $2";
    TENANT_SERVICE_KEYS = "SELECT k.id AS key_id, k.account_id, k.digest, k.created_at AS key_created_at, k.expires_at, k.last_used FROM service_keys k WHERE k.org_id = $1 AND k.account_id >= $2 AND k.account_id <= $3 ORDER BY k.account_id, k.id";
    TENANT_COUNT_SERVICE_KEYS = "SELECT count(*) AS number FROM service_keys WHERE org_id = $1 AND account_id = $2";
    TENANT_INSERT_SERVICE_KEY = "INSERT INTO service_keys (org_id, id, account_id, digest, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
    TENANT_DELETE_DEAD_KEYS = "DELETE FROM service_keys WHERE org_id = $1 AND account_id = $2 AND expires_at <= $3";
    TENANT_DELETE_SERVICE_KEYS = "DELETE FROM service_keys WHERE org_id = $1 AND account_id = $2";
    TENANT_DELETE_SERVICE_KEY = "DELETE FROM service_keys WHERE org_id = $1 AND id = $2 AND account_id = $3";
    TENANT_LIVE_KEY = sqlite "SELECT last_used FROM service_keys WHERE org_id = $1 AND id = $2 AND account_id = $3 AND expires_at > $4" postgres "SELECT last_used FROM service_keys WHERE org_id = $1 AND id = $2 AND account_id = $3 AND expires_at > $4 FOR UPDATE";
    TENANT_KEY_USED = "UPDATE service_keys SET last_used = $3 WHERE org_id = $1 AND id = $2";
    KEY_HOLDER = "SELECT k.id AS key_id, k.account_id, k.digest, k.created_at AS key_created_at, k.expires_at, k.last_used, k.org_id, a.name, a.role, a.owner, a.epoch, a.created_at, o.slug, r.id AS role_id, r.epoch AS role_epoch FROM service_keys k JOIN service_accounts a ON a.org_id = k.org_id AND a.id = k.account_id JOIN organizations o ON o.id = k.org_id LEFT JOIN roles r ON r.org_id = a.org_id AND r.name = a.role WHERE k.id = $1";

    INSERT_SESSION = sqlite "INSERT INTO sessions (id, user_id, seed, generation, refresh_key, previous_key, rotated_at, credential_epoch, auth_time, aal, created_at, last_used_at, idle_expires_at, absolute_expires_at, client, ip_address) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16 FROM users WHERE id = $2 AND epoch = $8 AND disabled_at IS NULL" postgres "";
    OPEN_SESSION = sqlite "" postgres "WITH opened AS MATERIALIZED (SELECT open_session($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) AS held), recorded AS (INSERT INTO audit_outbox (id, org_id, body) SELECT event.id, event.org::uuid, event.body FROM opened, unnest($19::uuid[], $20::text[], $21::text[]) WITH ORDINALITY AS event (id, org, body, number) WHERE opened.held ORDER BY event.number) SELECT held FROM opened";
    STANDING = "SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1 AND s.user_id = $2 AND s.ended_at IS NULL AND u.epoch = $3 AND u.disabled_at IS NULL";
    TENANT_STANDING = sqlite "SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id JOIN grants g ON g.session_id = s.id JOIN memberships m ON m.user_id = s.user_id WHERE g.org_id = $1 AND m.org_id = $1 AND s.id = $2 AND s.user_id = $3 AND s.ended_at IS NULL AND u.epoch = $4 AND u.disabled_at IS NULL AND g.ended_at IS NULL AND m.epoch = $5 AND m.ended_at IS NULL" postgres "SELECT org_id FROM standing_member($1, $2, $3, $4, $5) AS org_id WHERE org_id = $1 ";
    SESSION = "SELECT s.id, s.user_id, s.seed, s.generation, s.refresh_key, s.previous_key, s.rotated_at, s.credential_epoch, s.auth_time, s.aal, s.created_at, s.last_used_at, s.idle_expires_at, s.absolute_expires_at, s.ended_at, s.client, s.ip_address, u.epoch AS owner_epoch, u.disabled_at IS NOT NULL AS owner_disabled FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1";
    // On PostgreSQL the function binds itself to the person and to each organization in turn, so one message does.
    ACCESSES = sqlite "SELECT m.org_id, o.slug, m.role, m.epoch AS member_epoch, o.max_session_seconds, o.factor_required, r.id AS role_id, r.epoch AS role_epoch, g.created_at AS granted_at, g.ended_at AS grant_ended_at FROM memberships m JOIN organizations o ON o.id = m.org_id LEFT JOIN roles r ON r.org_id = m.org_id AND r.name = m.role LEFT JOIN grants g ON g.org_id = m.org_id AND g.session_id = $2 WHERE m.user_id = $1 AND m.ended_at IS NULL ORDER BY o.slug" postgres "SELECT a.org_id, a.slug, a.role, a.member_epoch, a.max_session_seconds, a.factor_required, a.role_id, a.role_epoch, a.granted_at, a.grant_ended_at FROM session_accesses($1, $2) a";
    RENEWAL = sqlite "SELECT s.id, s.user_id, s.seed, s.generation, s.refresh_key, s.previous_key, s.rotated_at, s.credential_epoch, s.auth_time, s.aal, s.created_at, s.last_used_at, s.idle_expires_at, s.absolute_expires_at, s.ended_at, s.client, s.ip_address, u.epoch AS owner_epoch, u.disabled_at IS NOT NULL AS owner_disabled, u.email, u.email_verified, u.name, u.password, u.administrator, u.disabled_at, u.created_at AS joined_at, m.org_id, o.slug, m.role, m.epoch AS member_epoch, o.max_session_seconds, o.factor_required, r.id AS role_id, r.epoch AS role_epoch, g.created_at AS granted_at, g.ended_at AS grant_ended_at FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN memberships m ON m.user_id = s.user_id AND m.ended_at IS NULL LEFT JOIN organizations o ON o.id = m.org_id LEFT JOIN roles r ON r.org_id = m.org_id AND r.name = m.role LEFT JOIN grants g ON g.org_id = m.org_id AND g.session_id = s.id WHERE s.id = $1 ORDER BY o.slug" postgres "";
    // Many sessions in one message. The function works across organizations: whose they are is in the sessions.
    RENEWALS = sqlite "" postgres "SELECT s.id, s.user_id, s.seed, s.generation, s.refresh_key, s.previous_key, s.rotated_at, s.credential_epoch, s.auth_time, s.aal, s.created_at, s.last_used_at, s.idle_expires_at, s.absolute_expires_at, s.ended_at, s.client, s.ip_address, u.epoch AS owner_epoch, u.disabled_at IS NOT NULL AS owner_disabled, u.email, u.email_verified, u.name, u.password, u.administrator, u.disabled_at, u.created_at AS joined_at, a.org_id, a.slug, a.role, a.member_epoch, a.max_session_seconds, a.factor_required, a.role_id, a.role_epoch, a.granted_at, a.grant_ended_at FROM unnest($1::uuid[]) w (id) JOIN sessions s ON s.id = w.id JOIN users u ON u.id = s.user_id LEFT JOIN sessions_accesses($1) a ON a.of_session = s.id ORDER BY s.id, a.slug";
    ADVANCE = "UPDATE sessions SET generation = $1, refresh_key = $2, previous_key = $3, rotated_at = $4, last_used_at = $5, idle_expires_at = $6 WHERE id = $7 AND generation = $8 AND credential_epoch = $9 AND ended_at IS NULL AND idle_expires_at > $5 AND absolute_expires_at > $5 AND EXISTS (SELECT 1 FROM users u WHERE u.id = sessions.user_id AND u.epoch = sessions.credential_epoch AND u.disabled_at IS NULL)";
    // Many steps and the event of each in one message, which is a transaction by itself. It waits for no lock:
    // a session that another transaction has is left out.
    STEPS = sqlite "" postgres "WITH step AS (SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::uuid[], $11::text[]) AS step (id, was, epoch, generation, key, previous, rotated_at, at, idle_expires_at, event, body)), free AS (SELECT s.id FROM step JOIN sessions s ON s.id = step.id FOR NO KEY UPDATE OF s SKIP LOCKED), taken AS (UPDATE sessions s SET generation = step.generation, refresh_key = step.key, previous_key = step.previous, rotated_at = step.rotated_at, last_used_at = step.at, idle_expires_at = step.idle_expires_at FROM free JOIN step ON step.id = free.id WHERE s.id = free.id AND s.generation = step.was AND s.credential_epoch = step.epoch AND s.ended_at IS NULL AND s.idle_expires_at > step.at AND s.absolute_expires_at > step.at AND EXISTS (SELECT 1 FROM users u WHERE u.id = s.user_id AND u.epoch = s.credential_epoch AND u.disabled_at IS NULL) RETURNING s.id), recorded AS (INSERT INTO audit_outbox (id, org_id, body) SELECT step.event, NULL, step.body FROM step JOIN taken ON taken.id = step.id) SELECT free.id, taken.id IS NOT NULL AS held FROM free LEFT JOIN taken ON taken.id = free.id";
    END_SESSION = "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE id = $3 AND user_id = $4 AND ended_at IS NULL AND idle_expires_at > $1 AND absolute_expires_at > $1";
    END_OTHER_SESSIONS = "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE user_id = $3 AND id <> $4 AND ended_at IS NULL RETURNING id, idle_expires_at, absolute_expires_at";
    REKEY_SESSION = "UPDATE sessions SET seed = $1, refresh_key = $2, previous_key = NULL, generation = generation + 1, rotated_at = $3, last_used_at = $3, credential_epoch = $4 WHERE id = $5 AND user_id = $6 AND ended_at IS NULL AND idle_expires_at > $3 AND absolute_expires_at > $3";
    SESSIONS_OF_USER = "SELECT s.id, s.user_id, u.email, u.name, s.created_at, s.last_used_at, s.idle_expires_at, s.absolute_expires_at, s.auth_time, s.aal, s.client, s.ip_address FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.user_id = $1 AND s.id > $2 AND s.ended_at IS NULL AND s.idle_expires_at > $3 AND s.absolute_expires_at > $3 AND s.credential_epoch = u.epoch AND u.disabled_at IS NULL ORDER BY s.id LIMIT $4";
    TENANT_GRANTS = "SELECT s.id, s.user_id, u.email, u.name, g.created_at, s.last_used_at, s.idle_expires_at, s.absolute_expires_at, s.auth_time, s.aal, s.client, s.ip_address FROM grants g JOIN sessions s ON s.id = g.session_id JOIN users u ON u.id = s.user_id WHERE g.org_id = $1 AND g.session_id > $2 AND g.ended_at IS NULL AND s.ended_at IS NULL AND s.idle_expires_at > $3 AND s.absolute_expires_at > $3 AND s.credential_epoch = u.epoch AND u.disabled_at IS NULL ORDER BY g.session_id LIMIT $4";
    TENANT_GRANT = "SELECT ended_at FROM grants WHERE org_id = $1 AND session_id = $2";
    TENANT_INSERT_GRANT = sqlite "INSERT INTO grants (org_id, session_id, created_at) SELECT $1, $2, $3 FROM organizations o JOIN sessions s ON s.id = $2 WHERE o.id = $1 AND (s.aal > 1 OR NOT o.factor_required) ON CONFLICT (org_id, session_id) DO NOTHING" postgres "INSERT INTO grants (org_id, session_id, created_at) SELECT $1, $2, $3 FROM organizations o JOIN sessions s ON s.id = $2 WHERE o.id = $1 AND (s.aal > 1 OR NOT o.factor_required) FOR SHARE OF o ON CONFLICT (org_id, session_id) DO NOTHING";
    TENANT_END_GRANT = "UPDATE grants SET ended_at = $3 WHERE org_id = $1 AND session_id = $2 AND ended_at IS NULL AND EXISTS (SELECT 1 FROM sessions s WHERE s.id = grants.session_id AND s.ended_at IS NULL)";

    SECOND_FACTOR = "SELECT f.user_id, f.secret, f.last_step, f.activated_at, (SELECT count(*) FROM recovery_codes c WHERE c.user_id = f.user_id AND c.used_at IS NULL) AS codes_left FROM second_factors f WHERE f.user_id = $1";
    // Held until the end: nobody gives the factor new codes meanwhile.
    HAS_FACTOR = sqlite "SELECT user_id FROM second_factors WHERE user_id = $1" postgres "SELECT user_id FROM second_factors WHERE user_id = $1 FOR UPDATE";
    STORE_FACTOR = "INSERT INTO second_factors (user_id, secret, last_step, activated_at, codes_made_at) VALUES ($1, $2, $3, $4, $4) ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, last_step = excluded.last_step, activated_at = excluded.activated_at, codes_made_at = excluded.codes_made_at";
    DROP_FACTOR = "DELETE FROM second_factors WHERE user_id = $1";
    USE_STEP = "UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2";
    INSERT_CODE = "INSERT INTO recovery_codes (user_id, digest) VALUES ($1, $2)";
    DROP_CODES = "DELETE FROM recovery_codes WHERE user_id = $1";
    USE_RECOVERY_CODE = "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND digest = $2 AND used_at IS NULL";
    RENEW_CODES = "UPDATE second_factors SET codes_made_at = $2 WHERE user_id = $1 AND EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.epoch = $3 AND u.disabled_at IS NULL)";
    ENROLMENT = "SELECT session_id, user_id, secret, expires_at FROM factor_enrolments WHERE session_id = $1 AND user_id = $2";
    STORE_ENROLMENT = "INSERT INTO factor_enrolments (session_id, user_id, secret, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (session_id) DO UPDATE SET user_id = excluded.user_id, secret = excluded.secret, expires_at = excluded.expires_at";
    TAKE_ENROLMENT = "DELETE FROM factor_enrolments WHERE session_id = $1 AND user_id = $2 AND secret = $3 AND expires_at > $4";
    DROP_ENROLMENTS = "DELETE FROM factor_enrolments WHERE user_id = $1";
    DROP_EXPIRED_ENROLMENTS = "DELETE FROM factor_enrolments WHERE user_id = $1 AND expires_at <= $2";
    GROW_EPOCH = "UPDATE users SET epoch = epoch + 1 WHERE id = $1 AND epoch = $2 AND disabled_at IS NULL";
    GROW_EPOCH_OF_ANY = "UPDATE users SET epoch = epoch + 1 WHERE id = $1 AND epoch = $2";
    HOLD_OWNER = sqlite "" postgres "SELECT id FROM users WHERE id = (SELECT user_id FROM sessions WHERE id = $1) FOR SHARE";
    SET_AAL = "UPDATE sessions SET aal = $2 WHERE id = $1";
    RENEW_SIGN_IN = "UPDATE sessions SET auth_time = $2, aal = $3 WHERE id = $1";
    FACTOR_REQUIRED_OF_USER = "SELECT m.org_id FROM memberships m JOIN organizations o ON o.id = m.org_id WHERE m.user_id = $1 AND m.ended_at IS NULL AND o.factor_required LIMIT 1";

    INSERT_REVOCATION = "INSERT INTO revocations (kind, subject, org_id, epoch, expires_at, opened_until, kept) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    LIVE_REVOCATIONS = "SELECT kind, subject, org_id, epoch, expires_at, opened_until, kept FROM revocations WHERE expires_at > $1";
    // What other nodes revoked; in SQLite there are none.
    OLDEST_OPEN = sqlite "" postgres "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS open";
    REVOCATIONS_SINCE = sqlite "" postgres "SELECT kind, subject, org_id, epoch, expires_at, opened_until, kept FROM revocations WHERE tx >= $1::xid8 AND expires_at > $2";
    SWEEP_REVOCATIONS = "DELETE FROM revocations WHERE expires_at <= $1";

    FAILURES = "SELECT failures, last_failed_at FROM failures WHERE subject = $1 AND kind = $2";
    ADD_FAILURES = "INSERT INTO failures (subject, kind, failures, last_failed_at, told) VALUES ($1, $2, $3, $4, FALSE) ON CONFLICT (subject, kind) DO UPDATE SET failures = CASE WHEN failures.failures + excluded.failures > 4294967295 THEN 4294967295 ELSE failures.failures + excluded.failures END, last_failed_at = excluded.last_failed_at";
    TELL_FAILURES = "UPDATE failures SET told = TRUE WHERE subject = $1 AND kind = $2 AND failures >= $3 AND NOT told";
    CLEAR_FAILURES = "DELETE FROM failures WHERE subject = $1 AND kind = $2";
    SWEEP_QUIET_FAILURES = "DELETE FROM failures WHERE failures < $1 AND last_failed_at < $2";
    SWEEP_LIGHT_FAILURES = "DELETE FROM failures WHERE (subject, kind) IN (SELECT subject, kind FROM failures ORDER BY failures DESC, last_failed_at DESC, subject DESC, kind DESC LIMIT 9223372036854775807 OFFSET $1)";
    DROP_DEAD_RESETS = "DELETE FROM password_resets WHERE user_id = $1 AND expires_at <= $2";
    ARM_RESET = "INSERT INTO password_resets (user_id, token, epoch, made_at, expires_at) SELECT $1, $2, $3, $4, $5 FROM users u WHERE u.id = $1 AND u.epoch = $3 AND u.email_verified AND u.disabled_at IS NULL AND NOT EXISTS (SELECT 1 FROM password_resets r WHERE r.user_id = $1 AND r.made_at > $6)";
    USER_BY_RESET = "SELECT u.id, u.email, u.email_verified, u.name, u.password, u.epoch, u.administrator, u.disabled_at, u.created_at FROM password_resets r JOIN users u ON u.id = r.user_id WHERE r.token = $1 AND r.expires_at > $2 AND u.epoch = r.epoch AND u.disabled_at IS NULL";
    USE_RESET = "DELETE FROM password_resets WHERE user_id = $1 AND token = $2 AND expires_at > $3 AND EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.epoch = password_resets.epoch AND u.disabled_at IS NULL)";
    DROP_RESETS = "DELETE FROM password_resets WHERE user_id = $1";
    LOCK_USER = sqlite "" postgres "SELECT id FROM users WHERE id = $1 FOR UPDATE";
    SET_PASSWORD = "UPDATE users SET password = $2, epoch = epoch + 1 WHERE id = $1 RETURNING epoch";
    END_SESSIONS_OF_USER = "UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE user_id = $1 AND ended_at IS NULL";

    INSERT_EMAIL_CHANGE = "INSERT INTO email_changes (id, user_id, from_email, to_email, epoch, token, made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    EMAIL_MAY_CHANGE = "SELECT id FROM users WHERE id = $1 AND epoch = $2 AND email = $3 AND disabled_at IS NULL";
    YOUNG_EMAIL_CHANGE = "SELECT id FROM email_changes WHERE user_id = $1 AND object_until IS NULL AND made_at > $2";
    DROP_OPEN_EMAIL_CHANGES = "DELETE FROM email_changes WHERE user_id = $1 AND object_until IS NULL";
    OPEN_EMAIL_CHANGE = "SELECT c.id, c.user_id, c.from_email, c.to_email, c.epoch, c.expires_at, c.object_until FROM email_changes c JOIN users u ON u.id = c.user_id WHERE c.token = $1 AND c.object_until IS NULL AND c.expires_at > $2 AND u.epoch = c.epoch AND u.disabled_at IS NULL";
    // An address that nobody ever verified is nobody's to object from.
    CONFIRM_EMAIL_CHANGE = "UPDATE email_changes SET object_until = CASE WHEN (SELECT u.email_verified FROM users u WHERE u.id = email_changes.user_id) THEN $2 ELSE $3 END WHERE id = $1";
    DROP_EMAIL_CHANGE = "DELETE FROM email_changes WHERE id = $1";
    EMAIL_OWNER = "SELECT id FROM users WHERE email = $1 AND id <> $2";
    EMAIL_RESERVED = "SELECT id FROM email_changes WHERE from_email = $1 AND user_id <> $2 AND object_until > $3";
    VERIFY_EMAIL = "UPDATE users SET email_verified = $2 WHERE id = $1";
    SET_EMAIL = "UPDATE users SET email = $2, email_verified = $3, epoch = epoch + 1 WHERE id = $1 RETURNING epoch";
    LOCK_EMAIL = sqlite "" postgres "SELECT 1 AS locked FROM pg_advisory_xact_lock(hashtextextended($1, 0))";
    VOID_PASSWORD = "UPDATE users SET password = NULL WHERE id = $1";
    ARM_OBJECTION = "UPDATE email_changes SET objection = $2 WHERE id = $1 AND object_until > $3";
    EMAIL_CHANGE_BY_ID = "SELECT c.id, c.user_id, c.from_email, c.to_email, c.epoch, c.expires_at, c.object_until FROM email_changes c WHERE c.id = $1";
    OBJECTED_EMAIL_CHANGE = "SELECT c.id, c.user_id, c.from_email, c.to_email, c.epoch, c.expires_at, c.object_until FROM email_changes c JOIN users u ON u.id = c.user_id WHERE c.objection = $1 AND c.object_until > $2 AND u.disabled_at IS NULL";
    DROP_EMAIL_CHANGES_FROM = "DELETE FROM email_changes WHERE user_id = $1 AND epoch >= $2";
    SWEEP_EMAIL_CHANGES = "DELETE FROM email_changes WHERE COALESCE(object_until, expires_at) <= $1";

    LOCK_USES = sqlite "" postgres "SELECT 1 AS locked FROM pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))";
    SPENT_USES = "SELECT id FROM spent_uses WHERE token = $1";
    SPEND_USE = "INSERT INTO spent_uses (token, id, expires_at) VALUES ($1, $2, $3)";
    SWEEP_SPENT_USES = "DELETE FROM spent_uses WHERE expires_at <= $1 AND (token, id) IN (SELECT token, id FROM spent_uses WHERE expires_at <= $1 ORDER BY expires_at LIMIT 10000)";

    USERS = "SELECT id, email, email_verified, name, password, epoch, administrator, disabled_at, created_at FROM users WHERE id > $1 ORDER BY id LIMIT $2";
    LOCK_ADMINISTRATORS = sqlite "" postgres "SELECT id FROM users WHERE administrator OR id = $1 ORDER BY id FOR UPDATE";
    OTHER_ADMINISTRATOR = "SELECT id FROM users WHERE administrator AND disabled_at IS NULL AND id <> $1 LIMIT 1";
    DISABLE_USER = "UPDATE users SET disabled_at = $2, epoch = epoch + 1 WHERE id = $1 RETURNING epoch";
    ENABLE_USER = "UPDATE users SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL";
    YOUNGEST_ENDED = "SELECT MAX(created_at) AS created_at FROM sessions WHERE ended_at = $1 AND end_reason = $2";
    YOUNGEST_ENDED_OF_USER = "SELECT MAX(created_at) AS created_at FROM sessions WHERE ended_at = $1 AND end_reason = $2 AND user_id = $3";
    TENANT_YOUNGEST_ENDED = "SELECT MAX(s.created_at) AS created_at FROM grants g JOIN sessions s ON s.id = g.session_id WHERE g.org_id = $1 AND g.ended_at = $2";
    SHARE_ORG = sqlite "" postgres "SELECT id FROM organizations WHERE id = $1 FOR SHARE";
    END_EVERY_SESSION = "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE ended_at IS NULL AND id IS DISTINCT FROM $3";
    END_EVERY_SESSION_OF_USER = "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE ended_at IS NULL AND id IS DISTINCT FROM $3 AND user_id = $4";
    TENANT_END_GRANTS = "UPDATE grants SET ended_at = $2 WHERE org_id = $1 AND ended_at IS NULL AND EXISTS (SELECT 1 FROM sessions s WHERE s.id = grants.session_id AND s.ended_at IS NULL)";
    SIGN_OUT_ORG = "UPDATE organizations SET signed_out_until = $2 WHERE id = $1";
    SIGNED_OUT = "SELECT 1 AS signed_out FROM organizations o JOIN sessions s ON s.id = $2 WHERE o.id = $1 AND o.signed_out_until >= s.created_at";
    CLIENTS_OF_USER = "SELECT client, ip_address FROM sessions WHERE user_id = $1 ORDER BY id DESC LIMIT $2";

    INSERT_NOTICE = "INSERT INTO notices (id, user_id, kind, email_change, at, due_at, attempts) VALUES ($1, $2, $3, $4, $5, $6, 0)";
    DUE_NOTICES = "SELECT id, user_id, kind, email_change, at, due_at, attempts FROM notices WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2";
    CLAIM_NOTICE = "UPDATE notices SET due_at = $3, attempts = attempts + 1 WHERE id = $1 AND attempts = $2";
    DROP_NOTICE = "DELETE FROM notices WHERE id = $1";

    INSERT_EVENT = "INSERT INTO audit_outbox (id, org_id, body) VALUES ($1, $2, $3)";
    PENDING_EVENTS = "SELECT body FROM audit_outbox ORDER BY place LIMIT $1";
    WAITING_EVENTS = "SELECT body FROM audit_outbox WHERE org_id IS NOT DISTINCT FROM $1 AND ($2 IS NULL OR place <= (SELECT place FROM audit_outbox WHERE id = $2 AND org_id IS NOT DISTINCT FROM $1)) ORDER BY place DESC LIMIT $3";
        TAKE_EVENTS = sqlite "DELETE FROM audit_outbox WHERE id IN (SELECT unhex(value) FROM json_each($1)) RETURNING place, body" postgres "DELETE FROM audit_outbox WHERE id = ANY($1) RETURNING place, body";
}
