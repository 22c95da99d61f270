-- Apart from the documents of deployments, which those who follow the pipeline write whole.
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deployment bigint NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    eventtype text NOT NULL,
    -- Microseconds since 1970.
    happened bigint NOT NULL,
    document jsonb NOT NULL
);
CREATE UNIQUE INDEX events_1 ON events (deployment, eventtype, happened);
