ALTER TABLE playback_session ADD COLUMN region VARCHAR;
ALTER TABLE playback_session ADD COLUMN region_by VARCHAR;
ALTER TABLE playback_session ADD CONSTRAINT playback_session_region_by_known
    CHECK (region_by IN ('proxy', 'zone'));

CREATE TABLE region_point (
    show_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    region VARCHAR NOT NULL,
    brand_id UUID NOT NULL,
    viewers INTEGER NOT NULL,
    startups INTEGER NOT NULL,
    startup_ms FLOAT,
    latency_ms FLOAT,
    watched_ms BIGINT NOT NULL,
    stalled_ms BIGINT NOT NULL,
    stalls BIGINT NOT NULL,
    PRIMARY KEY (show_id, at, region),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_region_point_brand_id ON region_point (brand_id);

CREATE TABLE region_alarm (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    show_id UUID NOT NULL,
    region VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    value FLOAT NOT NULL,
    median FLOAT NOT NULL,
    viewers INTEGER NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT region_alarm_kind_known CHECK (kind IN ('startup', 'stalls')),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE
);
CREATE INDEX ix_region_alarm_brand_id ON region_alarm (brand_id);
CREATE INDEX ix_region_alarm_show_id ON region_alarm (show_id);
CREATE UNIQUE INDEX region_alarm_once ON region_alarm (show_id, region, kind) WHERE ended_at IS NULL;

CREATE TABLE probe_place (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    name VARCHAR NOT NULL,
    zone VARCHAR NOT NULL,
    base_url VARCHAR,
    hours INTEGER[] NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT probe_place_name_once UNIQUE (brand_id, name),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_probe_place_brand_id ON probe_place (brand_id);

CREATE TABLE probe_key (
    brand_id UUID NOT NULL,
    token_hash VARCHAR NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (brand_id),
    UNIQUE (token_hash),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);

CREATE TABLE probe_run (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    place_id UUID NOT NULL,
    show_id UUID,
    state VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    how VARCHAR NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE,
    local_hour INTEGER NOT NULL,
    startup_ms INTEGER,
    watched_ms INTEGER NOT NULL,
    stalls INTEGER NOT NULL,
    stalled_ms INTEGER NOT NULL,
    latency_ms INTEGER,
    height INTEGER,
    error VARCHAR,
    PRIMARY KEY (id),
    CONSTRAINT probe_run_state_known CHECK (state IN ('waiting', 'done')),
    CONSTRAINT probe_run_source_known CHECK (source IN ('hub', 'there')),
    CONSTRAINT probe_run_how_known CHECK (how IN ('client', 'browser')),
    CONSTRAINT probe_run_local_hour_sane CHECK (local_hour BETWEEN 0 AND 23),
    CONSTRAINT probe_run_due_once UNIQUE (place_id, due_at),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(place_id) REFERENCES probe_place (id) ON DELETE CASCADE,
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE SET NULL
);
CREATE INDEX ix_probe_run_brand_id ON probe_run (brand_id);
CREATE INDEX ix_probe_run_place_id ON probe_run (place_id);
CREATE INDEX ix_probe_run_show_id ON probe_run (show_id);
CREATE INDEX probe_run_taken ON probe_run (place_id, taken_at);
CREATE INDEX probe_run_at ON probe_run (at);
