-- The first schema, as PostgreSQL is told it. Frozen: a change of a model needs a migration of its own.

CREATE TABLE brand (
    id UUID NOT NULL,
    name VARCHAR NOT NULL,
    slug VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (slug)
);

CREATE TABLE media_worker (
    id UUID NOT NULL,
    address VARCHAR NOT NULL,
    playback_url VARCHAR NOT NULL,
    ingest_url VARCHAR NOT NULL,
    capacity INTEGER NOT NULL,
    last_event BIGINT NOT NULL,
    last_seen TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (address)
);

CREATE TABLE member (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    email VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    password_hash VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT member_role_known CHECK (role IN ('owner', 'producer', 'moderator', 'viewer')),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    UNIQUE (email)
);

CREATE INDEX ix_member_brand_id ON member (brand_id);

CREATE TABLE product (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    title VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    image_url VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);

CREATE INDEX ix_product_brand_id ON product (brand_id);

CREATE TABLE connection (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    connector VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    config_sealed BYTEA NOT NULL,
    tokens_sealed BYTEA,
    token_expires_at TIMESTAMP WITH TIME ZONE,
    state VARCHAR NOT NULL,
    reason VARCHAR,
    leased_by VARCHAR,
    leased_until TIMESTAMP WITH TIME ZONE,
    orders_read_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT connection_state_known CHECK (state IN ('ok', 'reconnect', 'off')),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);

CREATE INDEX ix_connection_brand_id ON connection (brand_id);

CREATE TABLE customer (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    name VARCHAR,
    email_sealed BYTEA,
    merged_into UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(merged_into) REFERENCES customer (id)
);

CREATE INDEX ix_customer_brand_id ON customer (brand_id);

CREATE TABLE show (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    slug VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE,
    live_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    stream_key_sealed BYTEA NOT NULL,
    stream_key_hash VARCHAR NOT NULL,
    media_worker_id UUID,
    spec_version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    ingest JSON,
    playable BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT show_state_known CHECK (state IN ('scheduled', 'live', 'ended')),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    UNIQUE (slug),
    UNIQUE (stream_key_hash),
    FOREIGN KEY(media_worker_id) REFERENCES media_worker (id)
);

CREATE INDEX ix_show_brand_id ON show (brand_id);

CREATE INDEX ix_show_media_worker_id ON show (media_worker_id);

CREATE TABLE staff_session (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    member_id UUID NOT NULL,
    token_hash VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(member_id) REFERENCES member (id) ON DELETE CASCADE,
    UNIQUE (token_hash)
);

CREATE INDEX ix_staff_session_member_id ON staff_session (member_id);

CREATE INDEX ix_staff_session_brand_id ON staff_session (brand_id);

CREATE TABLE variant (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    product_id UUID NOT NULL,
    sku VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    price_minor BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (brand_id, sku),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(product_id) REFERENCES product (id) ON DELETE CASCADE
);

CREATE INDEX ix_variant_brand_id ON variant (brand_id);

CREATE INDEX ix_variant_product_id ON variant (product_id);

CREATE TABLE identity (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    customer_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    value_hash VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT identity_kind_known CHECK (kind IN ('email', 'phone', 'platform_user', 'visitor')),
    UNIQUE (brand_id, kind, value_hash),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(customer_id) REFERENCES customer (id)
);

CREATE INDEX ix_identity_brand_id ON identity (brand_id);

CREATE INDEX ix_identity_customer_id ON identity (customer_id);

CREATE TABLE show_target (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    show_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    connector VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    wanted BOOLEAN NOT NULL,
    state VARCHAR NOT NULL,
    reason VARCHAR,
    state_since TIMESTAMP WITH TIME ZONE NOT NULL,
    next_try_at TIMESTAMP WITH TIME ZONE,
    url_sealed BYTEA,
    key_sealed BYTEA,
    ref VARCHAR,
    chat_ref VARCHAR,
    chat_state VARCHAR NOT NULL,
    chat_detail VARCHAR NOT NULL,
    chat_cursor VARCHAR,
    watch_url VARCHAR,
    platform_state VARCHAR,
    bytes_sent BIGINT NOT NULL,
    frames_sent BIGINT NOT NULL,
    frames_dropped BIGINT NOT NULL,
    connects INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT show_target_state_known CHECK (state IN ('idle', 'connecting', 'live', 'retrying', 'paused', 'failed')),
    UNIQUE (show_id, connection_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE CASCADE
);

CREATE INDEX ix_show_target_brand_id ON show_target (brand_id);

CREATE INDEX ix_show_target_show_id ON show_target (show_id);

CREATE INDEX ix_show_target_connection_id ON show_target (connection_id);

CREATE TABLE show_product (
    show_id UUID NOT NULL,
    product_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    position INTEGER NOT NULL,
    highlighted BOOLEAN NOT NULL,
    PRIMARY KEY (show_id, product_id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(product_id) REFERENCES product (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);

CREATE INDEX ix_show_product_brand_id ON show_product (brand_id);

CREATE TABLE webhook_event (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    delivery_id VARCHAR NOT NULL,
    headers JSON NOT NULL,
    body BYTEA NOT NULL,
    state VARCHAR NOT NULL,
    error VARCHAR,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT webhook_event_state_known CHECK (state IN ('stored', 'done', 'parked')),
    UNIQUE (connection_id, delivery_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE CASCADE
);

CREATE INDEX ix_webhook_event_brand_id ON webhook_event (brand_id);

CREATE TABLE tracked_link (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    show_id UUID NOT NULL,
    target_id UUID,
    code VARCHAR NOT NULL,
    utm_source VARCHAR NOT NULL,
    utm_medium VARCHAR NOT NULL,
    utm_campaign VARCHAR NOT NULL,
    utm_content VARCHAR,
    utm_term VARCHAR,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(target_id) REFERENCES show_target (id) ON DELETE SET NULL,
    UNIQUE (code)
);

CREATE INDEX ix_tracked_link_show_id ON tracked_link (show_id);

CREATE INDEX ix_tracked_link_brand_id ON tracked_link (brand_id);

CREATE TABLE listing (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    product_ref VARCHAR NOT NULL,
    variant_ref VARCHAR NOT NULL,
    location_ref VARCHAR,
    inventory_ref VARCHAR,
    pushed_quantity INTEGER,
    pushed_version BIGINT NOT NULL,
    pushed_at TIMESTAMP WITH TIME ZONE,
    push_error VARCHAR,
    PRIMARY KEY (id),
    UNIQUE (connection_id, variant_ref),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(variant_id) REFERENCES variant (id) ON DELETE CASCADE,
    FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE CASCADE
);

CREATE INDEX ix_listing_brand_id ON listing (brand_id);

CREATE INDEX ix_listing_connection_id ON listing (connection_id);

CREATE INDEX ix_listing_variant_id ON listing (variant_id);

CREATE TABLE message (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    show_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    target_id UUID,
    platform VARCHAR NOT NULL,
    external_id VARCHAR NOT NULL,
    author_id VARCHAR,
    author_name VARCHAR,
    text VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    amount_minor INTEGER,
    currency VARCHAR,
    sent_at TIMESTAMP WITH TIME ZONE,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    show_time_ms INTEGER,
    deleted BOOLEAN NOT NULL,
    outgoing BOOLEAN NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (show_id, platform, external_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(target_id) REFERENCES show_target (id) ON DELETE SET NULL
);

CREATE INDEX message_feed ON message (show_id, seq);

CREATE INDEX ix_message_brand_id ON message (brand_id);

CREATE TABLE stock (
    variant_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    on_hand BIGINT NOT NULL,
    held BIGINT NOT NULL,
    committed BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (variant_id),
    CONSTRAINT stock_held_not_negative CHECK (held >= 0),
    CONSTRAINT stock_committed_not_negative CHECK (committed >= 0),
    CONSTRAINT stock_never_oversold CHECK (held + committed <= on_hand),
    FOREIGN KEY(variant_id) REFERENCES variant (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
)
 WITH (fillfactor = 20);

CREATE INDEX ix_stock_brand_id ON stock (brand_id);

CREATE TABLE hold (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    show_id UUID,
    viewer_id VARCHAR NOT NULL,
    quantity INTEGER NOT NULL,
    state VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    unit_minor BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    extended BOOLEAN NOT NULL,
    order_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT hold_state_known CHECK (state IN ('held', 'committed', 'released', 'expired')),
    CONSTRAINT hold_quantity_positive CHECK (quantity > 0),
    UNIQUE (brand_id, key),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(variant_id) REFERENCES variant (id),
    FOREIGN KEY(show_id) REFERENCES show (id)
);

CREATE INDEX hold_due ON hold (expires_at) WHERE state = 'held';

CREATE INDEX ix_hold_brand_id ON hold (brand_id);

CREATE INDEX ix_hold_variant_id ON hold (variant_id);

CREATE INDEX ix_hold_show_id ON hold (show_id);

CREATE INDEX hold_of_viewer ON hold (viewer_id, show_id) INCLUDE (quantity) WHERE state = 'held';

CREATE TABLE stock_movement (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    ref_type VARCHAR NOT NULL,
    ref_id VARCHAR NOT NULL,
    author VARCHAR,
    reason VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT stock_movement_kind_known CHECK (kind IN ('receive', 'adjust', 'hold', 'release', 'expire', 'commit', 'external_sale', 'uncommit')),
    UNIQUE (kind, ref_type, ref_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(variant_id) REFERENCES variant (id)
);

CREATE INDEX ix_stock_movement_brand_id ON stock_movement (brand_id);

CREATE INDEX ix_stock_movement_variant_id ON stock_movement (variant_id);

CREATE TABLE touch (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    show_id UUID,
    visitor_id VARCHAR NOT NULL,
    customer_id UUID,
    link_id UUID,
    utm_source VARCHAR,
    utm_medium VARCHAR,
    utm_campaign VARCHAR,
    utm_content VARCHAR,
    utm_term VARCHAR,
    click_ids JSON NOT NULL,
    landing VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE SET NULL,
    FOREIGN KEY(customer_id) REFERENCES customer (id),
    FOREIGN KEY(link_id) REFERENCES tracked_link (id) ON DELETE SET NULL
);

CREATE INDEX ix_touch_brand_id ON touch (brand_id);

CREATE INDEX ix_touch_visitor_id ON touch (visitor_id);

CREATE INDEX ix_touch_customer_id ON touch (customer_id);

CREATE INDEX ix_touch_show_id ON touch (show_id);

CREATE TABLE delivery (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    show_id UUID NOT NULL,
    message_id UUID NOT NULL,
    target_id UUID,
    platform VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    reason VARCHAR,
    external_id VARCHAR,
    attempts INTEGER NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT delivery_state_known CHECK (state IN ('queued', 'sent', 'confirmed', 'failed', 'unknown')),
    UNIQUE (message_id, platform, target_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(message_id) REFERENCES message (id) ON DELETE CASCADE,
    FOREIGN KEY(target_id) REFERENCES show_target (id) ON DELETE CASCADE
);

CREATE INDEX ix_delivery_show_id ON delivery (show_id);

CREATE INDEX ix_delivery_message_id ON delivery (message_id);

CREATE INDEX ix_delivery_brand_id ON delivery (brand_id);

CREATE INDEX ix_delivery_external_id ON delivery (external_id);

CREATE TABLE orders (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    show_id UUID,
    channel VARCHAR NOT NULL,
    connection_id UUID,
    external_id VARCHAR,
    number VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    total_minor BIGINT NOT NULL,
    customer_id UUID,
    viewer_id VARCHAR,
    buyer_name VARCHAR,
    buyer_email_sealed BYTEA,
    first_touch_id UUID,
    last_touch_id UUID,
    landing_url VARCHAR,
    test BOOLEAN NOT NULL,
    placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    source_version TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT orders_state_known CHECK (state IN ('reserved', 'authorising', 'paid', 'failed', 'expired', 'cancelled', 'refunded', 'sold_out')),
    UNIQUE (connection_id, external_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id),
    FOREIGN KEY(connection_id) REFERENCES connection (id),
    FOREIGN KEY(customer_id) REFERENCES customer (id),
    FOREIGN KEY(first_touch_id) REFERENCES touch (id),
    FOREIGN KEY(last_touch_id) REFERENCES touch (id)
);

CREATE INDEX ix_orders_customer_id ON orders (customer_id);

CREATE INDEX ix_orders_brand_id ON orders (brand_id);

CREATE INDEX orders_of_show ON orders (show_id, placed_at);

CREATE TABLE order_line (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    order_id UUID NOT NULL,
    variant_id UUID,
    external_line_id VARCHAR NOT NULL,
    sku VARCHAR,
    title VARCHAR NOT NULL,
    quantity INTEGER NOT NULL,
    unit_minor BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT order_line_state_known CHECK (state IN ('open', 'committed', 'sold_out', 'unknown_sku', 'released')),
    UNIQUE (order_id, external_line_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY(variant_id) REFERENCES variant (id)
);

CREATE INDEX ix_order_line_brand_id ON order_line (brand_id);

CREATE INDEX ix_order_line_order_id ON order_line (order_id);

CREATE TABLE payment (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    order_id UUID NOT NULL,
    hold_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    state VARCHAR NOT NULL,
    ref VARCHAR,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    source_sealed BYTEA NOT NULL,
    key VARCHAR NOT NULL,
    attempts INTEGER NOT NULL,
    message VARCHAR NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT payment_state_known CHECK (state IN ('queued', 'authorising', 'authorised', 'captured', 'declined', 'action_required', 'voided', 'refunded')),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    UNIQUE (order_id),
    FOREIGN KEY(order_id) REFERENCES orders (id),
    FOREIGN KEY(hold_id) REFERENCES hold (id),
    FOREIGN KEY(connection_id) REFERENCES connection (id),
    UNIQUE (key)
);

CREATE INDEX ix_payment_brand_id ON payment (brand_id);

CREATE INDEX ix_payment_hold_id ON payment (hold_id);

CREATE INDEX ix_payment_ref ON payment (ref);
