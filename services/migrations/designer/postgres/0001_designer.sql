CREATE TABLE releases (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org text NOT NULL,
    app text NOT NULL,
    tagname text NOT NULL,
    buildid text NOT NULL DEFAULT '',
    -- Whether its build may still change.
    open boolean NOT NULL,
    -- A tag is free again when its build failed.
    failed boolean NOT NULL,
    document jsonb NOT NULL
);
CREATE UNIQUE INDEX releases_1 ON releases (org, app, tagname) WHERE NOT failed;
CREATE INDEX releases_2 ON releases (buildid);

CREATE TABLE deployments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org text NOT NULL,
    app text NOT NULL,
    envname text NOT NULL,
    buildid text NOT NULL DEFAULT '',
    open boolean NOT NULL,
    document jsonb NOT NULL
);
CREATE INDEX deployments_1 ON deployments (org, app);
CREATE INDEX deployments_2 ON deployments (buildid);
