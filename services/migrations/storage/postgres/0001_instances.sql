-- Table and column names are those of the real service; documents are spelt as on the wire.
CREATE TABLE instances (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alternateid uuid NOT NULL UNIQUE,
    partyid bigint NOT NULL,
    org text NOT NULL,
    appid text NOT NULL,
    taskid text,
    created timestamptz NOT NULL,
    lastchanged timestamptz NOT NULL,
    ended timestamptz,
    duebefore timestamptz,
    visibleafter timestamptz,
    isarchived boolean NOT NULL,
    issoftdeleted boolean NOT NULL,
    isharddeleted boolean NOT NULL,
    confirmed boolean NOT NULL,
    confirmedby text NOT NULL,
    searchtext text NOT NULL,
    instance jsonb NOT NULL,
    lock jsonb
);
CREATE INDEX ON instances (partyid, lastchanged, id);
CREATE INDEX ON instances (appid, lastchanged, id);
CREATE INDEX ON instances (org, lastchanged, id);

CREATE TABLE dataelements (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alternateid uuid NOT NULL UNIQUE,
    instanceinternalid bigint NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    element jsonb NOT NULL
);
CREATE INDEX ON dataelements (instanceinternalid);

CREATE TABLE instanceevents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alternateid uuid NOT NULL UNIQUE,
    instance uuid NOT NULL,
    created timestamptz NOT NULL,
    eventtype text NOT NULL,
    event jsonb NOT NULL
);
CREATE INDEX ON instanceevents (instance, created);

CREATE TABLE applications (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org text NOT NULL,
    app text NOT NULL,
    application jsonb NOT NULL,
    UNIQUE (org, app)
);

CREATE TABLE texts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org text NOT NULL,
    app text NOT NULL,
    language text NOT NULL,
    textresource jsonb NOT NULL,
    UNIQUE (org, app, language)
);

-- What Events is still to be told; written with the change itself.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event jsonb NOT NULL
);
