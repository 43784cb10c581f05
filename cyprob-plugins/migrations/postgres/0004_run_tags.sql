-- What runs are marked with. Who asked for the run is said again here, since
-- indexes find by both; neither changes after the run was made.
CREATE TABLE run_tags (
    org_id       UUID             NOT NULL,
    run_id       UUID             NOT NULL,
    tag          TEXT COLLATE "C" NOT NULL,
    requested_by UUID             NOT NULL,
    PRIMARY KEY (org_id, run_id, tag),
    FOREIGN KEY (org_id, run_id) REFERENCES runs (org_id, id)
);

-- The newest run with a tag, that of a person with a tag, and that of a person.
CREATE INDEX run_tags_by_tag ON run_tags (org_id, tag, run_id);
CREATE INDEX run_tags_by_person ON run_tags (org_id, requested_by, tag, run_id);
CREATE INDEX runs_by_person ON runs (org_id, requested_by, id);

SELECT hold_to_organization('run_tags', false);
