CREATE TABLE events (
    sequenceno bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL,
    resource text NOT NULL,
    source text NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    alternativesubject text NOT NULL,
    registeredtime timestamptz NOT NULL,
    cloudevent jsonb NOT NULL
);
CREATE INDEX ON events (id);
CREATE INDEX ON events (resource, sequenceno);
CREATE INDEX ON events (subject, sequenceno);

CREATE TABLE subscription (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resourcefilter text NOT NULL,
    consumer text NOT NULL,
    validated boolean NOT NULL,
    subscription jsonb NOT NULL
);
CREATE INDEX ON subscription (resourcefilter);

-- What is still to be pushed, and what was given up (`due` is null).
CREATE TABLE delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription bigint NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    attempt bigint NOT NULL,
    due timestamptz,
    cloudevent jsonb NOT NULL
);
CREATE INDEX ON delivery (due);
