-- Table and column names are those of the real service; documents are spelt as on the wire.
CREATE TABLE instances (
    id integer PRIMARY KEY AUTOINCREMENT,
    alternateid text NOT NULL UNIQUE,
    partyid integer NOT NULL,
    org text NOT NULL,
    appid text NOT NULL,
    taskid text,
    created text NOT NULL,
    lastchanged text NOT NULL,
    ended text,
    duebefore text,
    visibleafter text,
    isarchived integer NOT NULL,
    issoftdeleted integer NOT NULL,
    isharddeleted integer NOT NULL,
    confirmed integer NOT NULL,
    confirmedby text NOT NULL,
    searchtext text NOT NULL,
    instance text NOT NULL,
    lock text
);
CREATE INDEX storage_1 ON instances (partyid, lastchanged, id);
CREATE INDEX storage_2 ON instances (appid, lastchanged, id);
CREATE INDEX storage_3 ON instances (org, lastchanged, id);

CREATE TABLE dataelements (
    id integer PRIMARY KEY AUTOINCREMENT,
    alternateid text NOT NULL UNIQUE,
    instanceinternalid integer NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    element text NOT NULL
);
CREATE INDEX storage_4 ON dataelements (instanceinternalid);

CREATE TABLE instanceevents (
    id integer PRIMARY KEY AUTOINCREMENT,
    alternateid text NOT NULL UNIQUE,
    instance text NOT NULL,
    created text NOT NULL,
    eventtype text NOT NULL,
    event text NOT NULL
);
CREATE INDEX storage_5 ON instanceevents (instance, created);

CREATE TABLE applications (
    id integer PRIMARY KEY AUTOINCREMENT,
    org text NOT NULL,
    app text NOT NULL,
    application text NOT NULL,
    UNIQUE (org, app)
);

CREATE TABLE texts (
    id integer PRIMARY KEY AUTOINCREMENT,
    org text NOT NULL,
    app text NOT NULL,
    language text NOT NULL,
    textresource text NOT NULL,
    UNIQUE (org, app, language)
);

-- What Events is still to be told; written with the change itself.
CREATE TABLE outbox (
    id integer PRIMARY KEY AUTOINCREMENT,
    event text NOT NULL
);
