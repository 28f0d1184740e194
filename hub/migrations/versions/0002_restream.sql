-- The defaults fill the rows there are; new rows get theirs from the models.
ALTER TABLE media_worker ADD COLUMN srt_url VARCHAR;

ALTER TABLE show
    ADD COLUMN backup_key_sealed BYTEA,
    ADD COLUMN backup_key_hash VARCHAR,
    ADD COLUMN takeover VARCHAR NOT NULL DEFAULT 'newest',
    ADD COLUMN failback VARCHAR NOT NULL DEFAULT 'return',
    ADD COLUMN grace_seconds INTEGER NOT NULL DEFAULT 60,
    ADD COLUMN slate_text VARCHAR NOT NULL DEFAULT 'We''ll be right back',
    ADD COLUMN slate_asset VARCHAR,
    ADD COLUMN srt_passphrase_sealed BYTEA,
    ADD COLUMN recording BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN source_sealed BYTEA,
    ADD COLUMN profiles JSON NOT NULL DEFAULT '[]',
    ADD COLUMN health JSON,
    ADD UNIQUE (backup_key_hash),
    ADD CONSTRAINT show_takeover_known CHECK (takeover IN ('newest', 'refuse')),
    ADD CONSTRAINT show_failback_known CHECK (failback IN ('sticky', 'return'));
ALTER TABLE show
    ALTER takeover DROP DEFAULT,
    ALTER failback DROP DEFAULT,
    ALTER grace_seconds DROP DEFAULT,
    ALTER slate_text DROP DEFAULT,
    ALTER recording DROP DEFAULT,
    ALTER profiles DROP DEFAULT;

ALTER TABLE show_target
    ADD COLUMN passphrase_sealed BYTEA,
    ADD COLUMN backup_url_sealed BYTEA,
    ADD COLUMN backup_key_sealed BYTEA,
    ADD COLUMN backup_wanted BOOLEAN NOT NULL DEFAULT true,
    ADD COLUMN backup_state VARCHAR,
    ADD COLUMN backup_reason VARCHAR,
    ADD COLUMN plan VARCHAR NOT NULL DEFAULT 'steady',
    ADD COLUMN platform VARCHAR NOT NULL DEFAULT '',
    ADD COLUMN profile VARCHAR,
    ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN removed_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN bytes_acknowledged BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN gaps INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN seconds_wanted FLOAT NOT NULL DEFAULT 0,
    ADD COLUMN seconds_live FLOAT NOT NULL DEFAULT 0,
    ADD COLUMN last_counts JSON,
    DROP CONSTRAINT show_target_show_id_connection_id_key;
ALTER TABLE show_target
    ALTER backup_wanted DROP DEFAULT,
    ALTER plan DROP DEFAULT,
    ALTER platform DROP DEFAULT,
    ALTER attempt DROP DEFAULT,
    ALTER bytes_acknowledged DROP DEFAULT,
    ALTER gaps DROP DEFAULT,
    ALTER seconds_wanted DROP DEFAULT,
    ALTER seconds_live DROP DEFAULT;
CREATE UNIQUE INDEX show_target_once ON show_target (show_id, connection_id) WHERE removed_at IS NULL;
UPDATE show_target SET platform = connector WHERE connector IN ('youtube', 'facebook', 'twitch', 'tiktok');
UPDATE show_target SET plan = connector WHERE connector IN ('youtube', 'facebook', 'twitch');
UPDATE show_target SET plan = 'single_use' WHERE connector = 'tiktok';

CREATE TABLE asset (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    sha256 VARCHAR NOT NULL,
    media_type VARCHAR NOT NULL,
    data BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (brand_id, sha256),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);

CREATE INDEX ix_asset_brand_id ON asset (brand_id);
