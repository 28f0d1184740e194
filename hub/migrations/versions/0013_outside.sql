-- Orders from outside: how much of the stock a line has, which refunds a shop told of, how each shop is
-- doing, and where its numbers drifted from ours.
-- The defaults fill the rows there are; new rows get theirs from the models.
ALTER TABLE orders
    ADD COLUMN source_digest VARCHAR,
    ADD COLUMN paid_minor BIGINT,
    ADD COLUMN paid_currency VARCHAR;

ALTER TABLE order_line
    ADD COLUMN taken INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN moves INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN put_back INTEGER NOT NULL DEFAULT 0;
UPDATE order_line SET taken = quantity, moves = 1 FROM orders
    WHERE orders.id = order_line.order_id AND orders.connection_id IS NOT NULL
    AND order_line.state = 'committed';
UPDATE order_line SET moves = 2 FROM orders
    WHERE orders.id = order_line.order_id AND orders.connection_id IS NOT NULL
    AND order_line.state = 'released';
ALTER TABLE order_line
    ALTER taken DROP DEFAULT,
    ALTER moves DROP DEFAULT,
    ALTER put_back DROP DEFAULT;

ALTER TABLE webhook_event ADD COLUMN order_ref VARCHAR;

CREATE TABLE outside_refund (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    order_id UUID NOT NULL,
    external_id VARCHAR NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    pieces INTEGER NOT NULL,
    restocked INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (order_id, external_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE
);
CREATE INDEX ix_outside_refund_brand_id ON outside_refund (brand_id);
CREATE INDEX ix_outside_refund_order_id ON outside_refund (order_id);

CREATE TABLE shop_watch (
    connection_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    hook_at TIMESTAMP WITH TIME ZONE,
    missed INTEGER NOT NULL,
    silent_since TIMESTAMP WITH TIME ZONE,
    subscribed_at TIMESTAMP WITH TIME ZONE,
    renewed_at TIMESTAMP WITH TIME ZONE,
    problem VARCHAR,
    levels_read_at TIMESTAMP WITH TIME ZONE,
    rest_until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (connection_id),
    FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_shop_watch_brand_id ON shop_watch (brand_id);

CREATE TABLE drift (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    listing_id UUID NOT NULL,
    ours BIGINT NOT NULL,
    theirs BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    found_at TIMESTAMP WITH TIME ZONE NOT NULL,
    healed_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(listing_id) REFERENCES listing (id) ON DELETE CASCADE
);
CREATE INDEX ix_drift_brand_id ON drift (brand_id);
CREATE INDEX ix_drift_listing_id ON drift (listing_id);
CREATE UNIQUE INDEX drift_open ON drift (listing_id) WHERE healed_at IS NULL;
