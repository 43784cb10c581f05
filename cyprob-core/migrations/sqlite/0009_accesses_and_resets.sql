-- A token that is asked for leaves the earlier ones good: whoever asks for another cannot take them away.
DROP TABLE password_resets;
CREATE TABLE password_resets (
    user_id    BLOB    NOT NULL REFERENCES users (id),
    token      BLOB    NOT NULL UNIQUE CHECK (length(token) = 32),
    epoch      INTEGER NOT NULL,
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, token)
) STRICT, WITHOUT ROWID;
