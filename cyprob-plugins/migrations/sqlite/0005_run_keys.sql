-- Keys under which requests come again: each requester's own, a person's or a
-- service account's (ids are random, so no two of either kind are the same), with
-- the digest of what was asked for under it.
CREATE TABLE run_keys (
    org_id          BLOB NOT NULL,
    requester       BLOB NOT NULL CHECK (length(requester) = 16),
    idempotency_key TEXT NOT NULL,
    request         BLOB CHECK (length(request) = 32),
    run_id          BLOB NOT NULL,
    PRIMARY KEY (org_id, requester, idempotency_key),
    FOREIGN KEY (org_id, run_id) REFERENCES runs (org_id, id)
) STRICT, WITHOUT ROWID;

-- Keys from before are those of the person who answers for the run, and have no
-- digest: they give their run whatever is asked for, as they did. The column of
-- runs that had them stays, empty, since what is UNIQUE cannot be dropped.
INSERT INTO run_keys (org_id, requester, idempotency_key, request, run_id)
    SELECT org_id, requested_by, idempotency_key, NULL, id FROM runs WHERE idempotency_key IS NOT NULL;
UPDATE runs SET idempotency_key = NULL WHERE idempotency_key IS NOT NULL;
