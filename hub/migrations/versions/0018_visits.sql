-- Visits, and what people agreed to.
CREATE TABLE visit (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    visitor_id VARCHAR NOT NULL,
    show_id UUID,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    source VARCHAR NOT NULL,
    medium VARCHAR NOT NULL,
    campaign VARCHAR,
    content VARCHAR,
    term VARCHAR,
    channel_group VARCHAR NOT NULL,
    inherited BOOLEAN NOT NULL,
    landing VARCHAR NOT NULL,
    views INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    key_event BOOLEAN NOT NULL,
    engaged BOOLEAN NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE SET NULL
);
CREATE INDEX ix_visit_brand_id ON visit (brand_id);
CREATE INDEX ix_visit_show_id ON visit (show_id);
CREATE INDEX visit_newest ON visit (visitor_id, last_at);

-- The defaults fill the rows there are; new rows get theirs from the models.
ALTER TABLE touch
    ADD COLUMN utm_id VARCHAR,
    ADD COLUMN referrer_host VARCHAR,
    ADD COLUMN host VARCHAR,
    ADD COLUMN channel_group VARCHAR NOT NULL DEFAULT 'Unassigned',
    ADD COLUMN visit_id UUID,
    ADD COLUMN click_id UUID,
    ADD COLUMN kind VARCHAR NOT NULL DEFAULT 'visit',
    ADD COLUMN source_id UUID,
    ADD CONSTRAINT touch_kind_known CHECK (kind IN ('visit', 'coupon', 'claim', 'order', 'chat')),
    ADD FOREIGN KEY (visit_id) REFERENCES visit (id) ON DELETE SET NULL;
UPDATE touch SET kind = 'order' WHERE visitor_id LIKE 'order:%';
UPDATE touch SET channel_group = 'Direct' WHERE utm_source IS NULL AND utm_medium IS NULL;
UPDATE touch SET channel_group = 'Organic Social' WHERE utm_medium = 'social';
ALTER TABLE touch ALTER channel_group DROP DEFAULT, ALTER kind DROP DEFAULT;
CREATE INDEX ix_touch_visit_id ON touch (visit_id);
CREATE INDEX ix_touch_click_id ON touch (click_id);
CREATE INDEX ix_touch_link_id ON touch (link_id);
-- Which orders a touch led to: asked by the list of links, and before an old touch goes.
CREATE INDEX ix_orders_first_touch_id ON orders (first_touch_id);
CREATE INDEX ix_orders_last_touch_id ON orders (last_touch_id);
-- Who was merged into a person: what they said counts, too.
CREATE INDEX ix_customer_merged_into ON customer (merged_into);
CREATE UNIQUE INDEX touch_source ON touch (kind, source_id) WHERE source_id IS NOT NULL;

CREATE TABLE visitor_pass (
    id VARCHAR NOT NULL,
    brand_id UUID NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_visitor_pass_brand_id ON visitor_pass (brand_id);
CREATE INDEX ix_visitor_pass_until ON visitor_pass (until);

CREATE TABLE consent_text (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    version INTEGER NOT NULL,
    body JSON NOT NULL,
    author VARCHAR,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (brand_id, version),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_consent_text_brand_id ON consent_text (brand_id);

CREATE TABLE consent_choice (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    visitor_id VARCHAR,
    customer_id UUID,
    purpose VARCHAR NOT NULL,
    granted BOOLEAN NOT NULL,
    source VARCHAR NOT NULL,
    gpc BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    proof JSON NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT consent_choice_purpose_known CHECK (purpose IN ('analytics', 'ads', 'email')),
    CONSTRAINT consent_choice_source_known
        CHECK (source IN ('banner', 'gpc', 'checkout', 'account', 'staff', 'import')),
    CONSTRAINT consent_choice_of_somebody CHECK (visitor_id IS NOT NULL OR customer_id IS NOT NULL),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(customer_id) REFERENCES customer (id)
);
CREATE INDEX ix_consent_choice_brand_id ON consent_choice (brand_id);
CREATE INDEX ix_consent_choice_customer_id ON consent_choice (customer_id);
CREATE INDEX consent_choice_newest ON consent_choice (visitor_id, at);
