-- Apart from the documents of deployments, which those who follow the pipeline write whole.
CREATE TABLE events (
    id integer PRIMARY KEY AUTOINCREMENT,
    deployment integer NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    eventtype text NOT NULL,
    -- Microseconds since 1970.
    happened integer NOT NULL,
    document text NOT NULL
);
CREATE UNIQUE INDEX events_1 ON events (deployment, eventtype, happened);
