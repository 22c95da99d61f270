CREATE TABLE events (
    sequenceno integer PRIMARY KEY AUTOINCREMENT,
    id text NOT NULL,
    resource text NOT NULL,
    source text NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    alternativesubject text NOT NULL,
    registeredtime text NOT NULL,
    cloudevent text NOT NULL
);
CREATE INDEX events_1 ON events (id);
CREATE INDEX events_2 ON events (resource, sequenceno);
CREATE INDEX events_3 ON events (subject, sequenceno);

CREATE TABLE subscription (
    id integer PRIMARY KEY AUTOINCREMENT,
    resourcefilter text NOT NULL,
    consumer text NOT NULL,
    validated integer NOT NULL,
    subscription text NOT NULL
);
CREATE INDEX events_4 ON subscription (resourcefilter);

-- What is still to be pushed, and what was given up (`due` is null).
CREATE TABLE delivery (
    id integer PRIMARY KEY AUTOINCREMENT,
    subscription integer NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    attempt integer NOT NULL,
    due text,
    cloudevent text NOT NULL
);
CREATE INDEX events_5 ON delivery (due);
