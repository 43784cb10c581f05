-- When a run of an organization was last taken: organizations take turns.
CREATE TABLE run_turns (
    org_id   BLOB    NOT NULL PRIMARY KEY,
    taken_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What waits or is leased, by organization, since each may have so many.
DROP INDEX runs_open;
CREATE INDEX runs_open ON runs (org_id, id) WHERE state IN ('queued', 'running');
