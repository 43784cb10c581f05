-- The bytes of plugin files, by their digest; runs refer to them too.
CREATE TABLE plugin_files (
    org_id UUID  NOT NULL,
    digest BYTEA NOT NULL CHECK (length(digest) = 32),
    bytes  BYTEA NOT NULL,
    PRIMARY KEY (org_id, digest)
);

-- The version of each plugin that counts now.
CREATE TABLE plugins (
    org_id       UUID             NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    name         TEXT             NOT NULL,
    version      TEXT COLLATE "C" NOT NULL,
    digest       BYTEA            NOT NULL,
    file_name    TEXT             NOT NULL,
    enabled      BOOLEAN          NOT NULL,
    installed_at BIGINT           NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, digest) REFERENCES plugin_files (org_id, digest)
);

-- Every version ever installed: a version has one content.
CREATE TABLE plugin_versions (
    org_id  UUID             NOT NULL,
    id      TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    digest  BYTEA            NOT NULL,
    PRIMARY KEY (org_id, id, version)
);

SELECT hold_to_organization('plugin_files', false);
SELECT hold_to_organization('plugins', false);
SELECT hold_to_organization('plugin_versions', false);
