-- Offers: what is promised to viewers, how much of it is taken, and the signed records of it.
CREATE TABLE offer (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    show_id UUID,
    kind VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    minutes INTEGER,
    starts_at TIMESTAMP WITH TIME ZONE,
    ends_at TIMESTAMP WITH TIME ZONE,
    live_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_why VARCHAR,
    percent_off INTEGER,
    units BIGINT,
    taken BIGINT NOT NULL,
    per_buyer INTEGER,
    members_minutes INTEGER,
    members_until TIMESTAMP WITH TIME ZONE,
    own_site_only BOOLEAN NOT NULL,
    code VARCHAR,
    amount_off_minor BIGINT,
    currency VARCHAR,
    min_total_minor BIGINT,
    stackable BOOLEAN NOT NULL,
    terms JSON NOT NULL,
    record JSON,
    signature VARCHAR,
    ended_record JSON,
    ended_signature VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT offer_kind_known CHECK (kind IN ('flash', 'quantity', 'tiers', 'bundle', 'coupon', 'early_access', 'live_exclusive')),
    CONSTRAINT offer_state_known CHECK (state IN ('draft', 'live', 'ended')),
    CONSTRAINT offer_ended_why_known CHECK (ended_why IN ('time', 'gone', 'staff', 'show')),
    CONSTRAINT offer_never_overdrawn CHECK (taken >= 0 AND (units IS NULL OR taken <= units)),
    CONSTRAINT offer_percent_possible CHECK (percent_off BETWEEN 1 AND 99),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id)
) WITH (fillfactor = 30);
CREATE INDEX ix_offer_brand_id ON offer (brand_id);
CREATE INDEX ix_offer_show_id ON offer (show_id);
CREATE UNIQUE INDEX offer_code ON offer (brand_id, code) WHERE code IS NOT NULL;
CREATE INDEX offer_launched ON offer (show_id) WHERE state = 'live';

CREATE TABLE offer_item (
    offer_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    quantity INTEGER NOT NULL,
    unit_minor BIGINT,
    list_minor BIGINT,
    PRIMARY KEY (offer_id, variant_id),
    CONSTRAINT offer_item_quantity_positive CHECK (quantity > 0),
    FOREIGN KEY(offer_id) REFERENCES offer (id) ON DELETE CASCADE,
    FOREIGN KEY(variant_id) REFERENCES variant (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_offer_item_brand_id ON offer_item (brand_id);
CREATE INDEX ix_offer_item_variant_id ON offer_item (variant_id);

CREATE TABLE offer_tier (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    offer_id UUID NOT NULL,
    position INTEGER NOT NULL,
    percent_off INTEGER NOT NULL,
    units BIGINT,
    taken BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT offer_tier_never_overdrawn CHECK (taken >= 0 AND (units IS NULL OR taken <= units)),
    CONSTRAINT offer_tier_percent_possible CHECK (percent_off BETWEEN 1 AND 99),
    UNIQUE (offer_id, position),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(offer_id) REFERENCES offer (id) ON DELETE CASCADE
) WITH (fillfactor = 30);
CREATE INDEX ix_offer_tier_brand_id ON offer_tier (brand_id);
CREATE INDEX ix_offer_tier_offer_id ON offer_tier (offer_id);

CREATE TABLE offer_use (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    offer_id UUID NOT NULL,
    order_id UUID NOT NULL,
    viewer_id VARCHAR NOT NULL,
    customer_id UUID,
    state VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT offer_use_state_known CHECK (state IN ('used', 'given_back')),
    UNIQUE (offer_id, order_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(offer_id) REFERENCES offer (id)
);
CREATE INDEX ix_offer_use_brand_id ON offer_use (brand_id);
CREATE INDEX ix_offer_use_offer_id ON offer_use (offer_id);
CREATE INDEX ix_offer_use_order_id ON offer_use (order_id);

CREATE TABLE offer_key (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    kid VARCHAR NOT NULL,
    public_key VARCHAR NOT NULL,
    private_key_sealed BYTEA NOT NULL,
    retired_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (kid),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_offer_key_brand_id ON offer_key (brand_id);
CREATE UNIQUE INDEX offer_key_signs ON offer_key (brand_id) WHERE retired_at IS NULL;

CREATE TABLE offer_log (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    offer_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    author VARCHAR,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT offer_log_kind_known CHECK (kind IN ('drafted', 'changed', 'live', 'ended', 'refused')),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(offer_id) REFERENCES offer (id) ON DELETE CASCADE
);
CREATE INDEX ix_offer_log_brand_id ON offer_log (brand_id);
CREATE INDEX ix_offer_log_offer_id ON offer_log (offer_id);
