-- Uses of tokens that their holders narrowed to a number of uses; `id` is a digest of the token's
-- id and the use's word, which tells neither. A row may go when its time is over: the token ended.
CREATE TABLE spent_uses (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_uses_by_end ON spent_uses (expires_at);
