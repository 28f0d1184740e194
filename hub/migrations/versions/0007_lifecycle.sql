-- A show on its platforms: what it is told there, and what they say of it.
-- The defaults fill the rows there are; new rows get theirs from the models.
ALTER TABLE show
    ADD COLUMN cancelled BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN privacy VARCHAR NOT NULL DEFAULT 'public',
    ADD COLUMN latency VARCHAR,
    ADD COLUMN made_for_kids BOOLEAN,
    ADD COLUMN category VARCHAR,
    ADD COLUMN tags JSON NOT NULL DEFAULT '[]',
    ADD COLUMN language VARCHAR,
    ADD COLUMN picture_asset VARCHAR,
    ADD CONSTRAINT show_privacy_known CHECK (privacy IN ('public', 'unlisted', 'private')),
    ADD CONSTRAINT show_latency_known CHECK (latency IN ('normal', 'low', 'ultra_low'));
ALTER TABLE show
    ALTER cancelled DROP DEFAULT,
    ALTER privacy DROP DEFAULT,
    ALTER tags DROP DEFAULT;

ALTER TABLE show_target
    ADD COLUMN receiving BOOLEAN,
    ADD COLUMN round INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN title VARCHAR,
    ADD COLUMN description VARCHAR,
    ADD COLUMN details_state VARCHAR,
    ADD COLUMN details_reason VARCHAR,
    ADD COLUMN details_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN look_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN viewers INTEGER,
    ADD COLUMN viewers_peak INTEGER,
    ADD COLUMN reactions INTEGER,
    ADD COLUMN ingest_state VARCHAR,
    ADD COLUMN ingest_issues JSON NOT NULL DEFAULT '[]',
    ADD COLUMN key_expires_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT show_target_details_state_known
        CHECK (details_state IN ('waiting', 'applied', 'refused')),
    ADD CONSTRAINT show_target_ingest_state_known
        CHECK (ingest_state IN ('good', 'fair', 'bad', 'nothing'));
ALTER TABLE show_target
    ALTER round DROP DEFAULT,
    ALTER ingest_issues DROP DEFAULT;
-- Where ending it was refused, a person was asked to.
UPDATE show_target SET platform_state = 'unknown' FROM show
    WHERE show.id = show_target.show_id AND show.state = 'ended'
    AND show_target.ref IS NOT NULL AND show_target.platform_state IS DISTINCT FROM 'ended';
