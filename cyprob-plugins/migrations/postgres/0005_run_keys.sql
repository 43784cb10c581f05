-- Keys under which requests come again: each requester's own, a person's or a
-- service account's (ids are random, so no two of either kind are the same), with
-- the digest of what was asked for under it.
CREATE TABLE run_keys (
    org_id          UUID             NOT NULL,
    requester       UUID             NOT NULL,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    request         BYTEA CHECK (length(request) = 32),
    run_id          UUID             NOT NULL,
    PRIMARY KEY (org_id, requester, idempotency_key),
    FOREIGN KEY (org_id, run_id) REFERENCES runs (org_id, id)
);

-- Keys from before are those of the person who answers for the run, and have no
-- digest: they give their run whatever is asked for, as they did. The column of
-- runs that had them stays, empty, as it does in SQLite. The owner too sees rows
-- only with an organization or as the system.
SELECT set_config('cyprob.system', 'on', true);
INSERT INTO run_keys (org_id, requester, idempotency_key, request, run_id)
    SELECT org_id, requested_by, idempotency_key, NULL, id FROM runs WHERE idempotency_key IS NOT NULL;
UPDATE runs SET idempotency_key = NULL WHERE idempotency_key IS NOT NULL;
SELECT set_config('cyprob.system', '', true);

SELECT hold_to_organization('run_keys', false);
