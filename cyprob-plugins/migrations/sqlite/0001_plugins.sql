-- The bytes of plugin files, by their digest; runs refer to them too.
CREATE TABLE plugin_files (
    org_id BLOB NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    bytes  BLOB NOT NULL,
    PRIMARY KEY (org_id, digest)
) STRICT, WITHOUT ROWID;

-- The version of each plugin that counts now.
CREATE TABLE plugins (
    org_id       BLOB    NOT NULL,
    id           TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    version      TEXT    NOT NULL,
    digest       BLOB    NOT NULL,
    file_name    TEXT    NOT NULL,
    enabled      INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    installed_at INTEGER NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, digest) REFERENCES plugin_files (org_id, digest)
) STRICT, WITHOUT ROWID;

-- Every version ever installed: a version has one content.
CREATE TABLE plugin_versions (
    org_id  BLOB NOT NULL,
    id      TEXT NOT NULL,
    version TEXT NOT NULL,
    digest  BLOB NOT NULL,
    PRIMARY KEY (org_id, id, version)
) STRICT, WITHOUT ROWID;
