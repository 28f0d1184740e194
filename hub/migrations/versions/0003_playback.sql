-- The defaults fill the rows there are, which go on as they were: public, and without a ladder that nobody
-- asked for. New rows get theirs from the models.
ALTER TABLE show
    ADD COLUMN playback_mode VARCHAR NOT NULL DEFAULT 'balanced',
    ADD COLUMN part_ms INTEGER NOT NULL DEFAULT 333,
    ADD COLUMN ladder BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN whep BOOLEAN NOT NULL DEFAULT true,
    ADD COLUMN whep_url VARCHAR,
    ADD COLUMN poster_asset VARCHAR,
    ADD COLUMN access VARCHAR NOT NULL DEFAULT 'public',
    ADD COLUMN origins JSON NOT NULL DEFAULT '[]',
    ADD COLUMN viewer_cap INTEGER,
    ADD COLUMN path_secret_sealed BYTEA,
    ADD CONSTRAINT show_playback_mode_known CHECK (playback_mode IN ('balanced', 'interactive')),
    ADD CONSTRAINT show_access_known CHECK (access IN ('public', 'unlisted', 'signed')),
    ADD CONSTRAINT show_part_ms_known CHECK (part_ms IN (200, 333, 500, 1000));
ALTER TABLE show
    ALTER playback_mode DROP DEFAULT,
    ALTER part_ms DROP DEFAULT,
    ALTER ladder DROP DEFAULT,
    ALTER whep DROP DEFAULT,
    ALTER access DROP DEFAULT,
    ALTER origins DROP DEFAULT;

CREATE TABLE playback_key (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    show_id UUID NOT NULL,
    public_key VARCHAR NOT NULL,
    private_key_sealed BYTEA NOT NULL,
    verifies_until TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE
);

CREATE INDEX ix_playback_key_brand_id ON playback_key (brand_id);
CREATE INDEX ix_playback_key_show_id ON playback_key (show_id);
CREATE UNIQUE INDEX playback_key_signs ON playback_key (show_id) WHERE verifies_until IS NULL;

CREATE TABLE show_cue (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    show_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    reference VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    begins_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT show_cue_kind_known CHECK (kind IN ('product', 'offer', 'poll', 'chapter', 'disclosure')),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE
);

CREATE INDEX ix_show_cue_brand_id ON show_cue (brand_id);
CREATE INDEX ix_show_cue_show_id ON show_cue (show_id);
