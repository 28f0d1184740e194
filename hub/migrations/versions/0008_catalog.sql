-- The catalogue: states, media, prices per currency and their history, bundles, listings with a buffer.
-- The defaults fill the rows there are; new rows get theirs from the models.
ALTER TABLE product
    ADD COLUMN state VARCHAR NOT NULL DEFAULT 'active',
    ADD COLUMN tax_class VARCHAR NOT NULL DEFAULT 'standard',
    ADD COLUMN live_only BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN own_site_only BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN return_policy VARCHAR NOT NULL DEFAULT '',
    ADD COLUMN external_ref VARCHAR,
    ADD COLUMN version BIGINT NOT NULL DEFAULT 0,
    ADD CONSTRAINT product_state_known CHECK (state IN ('draft', 'active', 'archived'));
ALTER TABLE product
    ALTER state DROP DEFAULT,
    ALTER tax_class DROP DEFAULT,
    ALTER live_only DROP DEFAULT,
    ALTER own_site_only DROP DEFAULT,
    ALTER return_policy DROP DEFAULT,
    ALTER version DROP DEFAULT;

ALTER TABLE variant
    ADD COLUMN cost_minor BIGINT,
    ADD COLUMN position INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN options JSON NOT NULL DEFAULT '{}',
    ADD COLUMN archived BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE variant
    ALTER position DROP DEFAULT,
    ALTER options DROP DEFAULT,
    ALTER archived DROP DEFAULT;
-- Ids of ours grow with time: variants stand in the order they were made.
UPDATE variant SET position = placed.position FROM (
    SELECT id, row_number() OVER (PARTITION BY product_id ORDER BY id) - 1 AS position FROM variant
) AS placed WHERE placed.id = variant.id;

CREATE TABLE product_media (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    product_id UUID NOT NULL,
    position INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    url VARCHAR NOT NULL,
    alt VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT product_media_kind_known CHECK (kind IN ('image', 'video')),
    UNIQUE (product_id, position),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(product_id) REFERENCES product (id) ON DELETE CASCADE
);
CREATE INDEX ix_product_media_brand_id ON product_media (brand_id);
INSERT INTO product_media (id, brand_id, product_id, position, kind, url, alt)
    SELECT gen_random_uuid(), brand_id, id, 0, 'image', image_url, title FROM product
    WHERE image_url IS NOT NULL;

CREATE TABLE price (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    currency VARCHAR NOT NULL,
    price_minor BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT price_not_negative CHECK (price_minor >= 0),
    UNIQUE (variant_id, currency),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(variant_id) REFERENCES variant (id) ON DELETE CASCADE
);
CREATE INDEX ix_price_brand_id ON price (brand_id);

CREATE TABLE price_history (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    currency VARCHAR NOT NULL,
    price_minor BIGINT NOT NULL,
    offer_id UUID,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT price_history_ends_after_start CHECK (ends_at >= starts_at),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(variant_id) REFERENCES variant (id) ON DELETE CASCADE
);
CREATE INDEX ix_price_history_brand_id ON price_history (brand_id);
CREATE INDEX price_history_of_variant ON price_history (variant_id, currency, starts_at);
CREATE UNIQUE INDEX price_history_shown ON price_history (variant_id, currency)
    WHERE offer_id IS NULL AND ends_at IS NULL;
CREATE UNIQUE INDEX price_history_of_offer ON price_history (offer_id, variant_id, currency, price_minor)
    WHERE offer_id IS NOT NULL;
-- Prices could not be changed before now: each has been shown since its product was made.
INSERT INTO price_history (id, brand_id, variant_id, currency, price_minor, starts_at)
    SELECT gen_random_uuid(), variant.brand_id, variant.id, currency, price_minor, product.created_at
    FROM variant JOIN product ON product.id = variant.product_id;

CREATE TABLE bundle_item (
    bundle_variant_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (bundle_variant_id, variant_id),
    CONSTRAINT bundle_item_quantity_positive CHECK (quantity > 0),
    CONSTRAINT bundle_item_not_itself CHECK (variant_id <> bundle_variant_id),
    FOREIGN KEY(bundle_variant_id) REFERENCES variant (id) ON DELETE CASCADE,
    FOREIGN KEY(variant_id) REFERENCES variant (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_bundle_item_brand_id ON bundle_item (brand_id);
CREATE INDEX ix_bundle_item_variant_id ON bundle_item (variant_id);

ALTER TABLE listing
    ADD COLUMN buffer INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN state VARCHAR NOT NULL DEFAULT 'on',
    ADD COLUMN theirs JSON NOT NULL DEFAULT '{}',
    ADD CONSTRAINT listing_state_known CHECK (state IN ('on', 'paused', 'gone', 'source')),
    ADD CONSTRAINT listing_buffer_not_negative CHECK (buffer >= 0);
ALTER TABLE listing
    ALTER buffer DROP DEFAULT,
    ALTER state DROP DEFAULT,
    ALTER theirs DROP DEFAULT;

CREATE TABLE unmatched_listing (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    product_ref VARCHAR NOT NULL,
    variant_ref VARCHAR NOT NULL,
    location_ref VARCHAR,
    inventory_ref VARCHAR,
    theirs JSON NOT NULL,
    ignored BOOLEAN NOT NULL,
    found_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (connection_id, variant_ref),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE CASCADE
);
CREATE INDEX ix_unmatched_listing_brand_id ON unmatched_listing (brand_id);

CREATE TABLE intake (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    connection_id UUID,
    state VARCHAR NOT NULL,
    step VARCHAR NOT NULL,
    wish JSON NOT NULL,
    total INTEGER NOT NULL,
    done INTEGER NOT NULL,
    counts JSON NOT NULL,
    report JSON NOT NULL,
    error VARCHAR,
    body BYTEA,
    author VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT intake_kind_known CHECK (kind IN ('csv', 'sync')),
    CONSTRAINT intake_step_known CHECK (step IN ('check', 'apply')),
    CONSTRAINT intake_state_known CHECK (state IN ('queued', 'running', 'checked', 'done', 'failed')),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE CASCADE
);
CREATE INDEX ix_intake_brand_id ON intake (brand_id);
CREATE INDEX ix_intake_connection_id ON intake (connection_id);
