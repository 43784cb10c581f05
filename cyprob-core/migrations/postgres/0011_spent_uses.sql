-- Uses of tokens that their holders narrowed to a number of uses; `id` is a digest of the token's
-- id and the use's word, which tells neither. A row may go when its time is over: the token ended.
CREATE TABLE spent_uses (
    id BYTEA NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    expires_at BIGINT NOT NULL
);

CREATE INDEX spent_uses_by_end ON spent_uses (expires_at);
