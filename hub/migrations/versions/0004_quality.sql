CREATE TABLE playback_session (
    show_id UUID NOT NULL,
    session UUID NOT NULL,
    brand_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    device VARCHAR NOT NULL,
    transport VARCHAR NOT NULL,
    seq INTEGER NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended BOOLEAN NOT NULL,
    at_ms BIGINT NOT NULL,
    startup_ms INTEGER,
    watched_ms BIGINT NOT NULL,
    stalls INTEGER NOT NULL,
    stalled_ms BIGINT NOT NULL,
    height INTEGER,
    height_ms BIGINT NOT NULL,
    latency_ms INTEGER,
    dropped BIGINT NOT NULL,
    frames BIGINT NOT NULL,
    switches INTEGER NOT NULL,
    fallbacks INTEGER NOT NULL,
    error_codes VARCHAR[] NOT NULL,
    error_detail VARCHAR,
    PRIMARY KEY (show_id, session),
    CONSTRAINT playback_session_kind_known CHECK (kind IN ('viewer', 'probe')),
    CONSTRAINT playback_session_transport_known CHECK (transport IN ('hls', 'whep', 'native')),
    CONSTRAINT playback_session_device_known CHECK (device IN ('phone', 'tablet', 'computer', 'tv', 'other')),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_playback_session_brand_id ON playback_session (brand_id);

CREATE TABLE playback_point (
    show_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    brand_id UUID NOT NULL,
    viewers INTEGER NOT NULL,
    latency_ms FLOAT,
    height FLOAT,
    watched_ms BIGINT NOT NULL,
    stalled_ms BIGINT NOT NULL,
    stalls BIGINT NOT NULL,
    PRIMARY KEY (show_id, at),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_playback_point_brand_id ON playback_point (brand_id);
