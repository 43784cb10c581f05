-- When a run of an organization was last taken: organizations take turns.
CREATE TABLE run_turns (
    org_id   UUID   NOT NULL PRIMARY KEY,
    taken_at BIGINT NOT NULL
);

-- What waits or is leased, by organization, since each may have so many.
CREATE INDEX runs_open ON runs (org_id, id) WHERE state IN ('queued', 'running');

SELECT hold_to_organization('run_turns', false);
