-- Uses of tokens that their holders narrowed to a number of uses. `token` is a digest of the token's
-- id, `id` one of that and the use's word; neither tells what it is of. A row counts as long as it is
-- there, and goes only by a sweep of its time.
CREATE TABLE spent_uses (
    token BLOB NOT NULL CHECK (length(token) = 32),
    id BLOB NOT NULL CHECK (length(id) = 32),
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (token, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_uses_by_end ON spent_uses (expires_at);
