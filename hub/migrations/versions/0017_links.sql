-- Tracked links: what they are for, where they lead, who follows them, and where they are posted.
-- The defaults fill the rows there are; new rows get theirs from the models.
ALTER TABLE tracked_link
    ALTER show_id DROP NOT NULL,
    ADD COLUMN product_id UUID REFERENCES product (id) ON DELETE SET NULL,
    ADD COLUMN offer_id UUID,
    ADD COLUMN host VARCHAR,
    ADD COLUMN placement VARCHAR NOT NULL DEFAULT 'description',
    ADD COLUMN title VARCHAR NOT NULL DEFAULT '',
    ADD COLUMN destination VARCHAR,
    ADD COLUMN utm_id VARCHAR,
    ADD COLUMN cost_minor BIGINT,
    ADD COLUMN currency VARCHAR,
    ADD COLUMN archived_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    ADD CONSTRAINT tracked_link_placement_known
        CHECK (placement IN ('chat', 'pin', 'bio', 'qr', 'overlay', 'description', 'other')),
    ADD CONSTRAINT tracked_link_leads_somewhere CHECK (show_id IS NOT NULL OR destination IS NOT NULL),
    ADD CONSTRAINT tracked_link_cost_whole
        CHECK ((cost_minor IS NULL) = (currency IS NULL) AND cost_minor >= 0);
ALTER TABLE tracked_link
    ALTER placement DROP DEFAULT,
    ALTER title DROP DEFAULT,
    ALTER created_at DROP DEFAULT;

CREATE TABLE link_click (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    link_id UUID NOT NULL,
    show_id UUID,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    who VARCHAR NOT NULL,
    device VARCHAR NOT NULL,
    network_hash VARCHAR,
    referrer_host VARCHAR,
    click_ids JSON NOT NULL,
    share_tokens JSON NOT NULL,
    archived BOOLEAN NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT link_click_who_known CHECK (who IN ('person', 'bot', 'preview')),
    CONSTRAINT link_click_device_known CHECK (device IN ('phone', 'tablet', 'desktop', 'other')),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(link_id) REFERENCES tracked_link (id) ON DELETE CASCADE
);
CREATE INDEX ix_link_click_brand_id ON link_click (brand_id);
CREATE INDEX link_click_of_link ON link_click (link_id, who);

CREATE TABLE link_post (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    link_id UUID NOT NULL,
    target_id UUID NOT NULL,
    how VARCHAR NOT NULL,
    every_minutes INTEGER,
    state VARCHAR NOT NULL,
    reason VARCHAR,
    message VARCHAR NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE,
    last_at TIMESTAMP WITH TIME ZONE,
    times INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    said_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT link_post_how_known CHECK (how IN ('announce', 'message', 'overlay')),
    CONSTRAINT link_post_state_known CHECK (state IN ('waiting', 'done', 'failed', 'stopped')),
    CONSTRAINT link_post_every_sane CHECK (every_minutes BETWEEN 2 AND 240),
    UNIQUE (link_id, target_id, how),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(link_id) REFERENCES tracked_link (id) ON DELETE CASCADE,
    FOREIGN KEY(target_id) REFERENCES show_target (id) ON DELETE CASCADE
);
CREATE INDEX ix_link_post_brand_id ON link_post (brand_id);
CREATE INDEX ix_link_post_target_id ON link_post (target_id);
CREATE INDEX link_post_due ON link_post (next_at) WHERE state = 'waiting';

CREATE TABLE shop_host (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    host VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (brand_id, host),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_shop_host_brand_id ON shop_host (brand_id);
