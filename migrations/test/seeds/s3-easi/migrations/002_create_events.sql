CREATE TABLE events (
    position    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream      text  NOT NULL,
    body        jsonb NOT NULL
);
INSERT INTO capabilities (name) VALUES ('first');
