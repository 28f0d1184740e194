-- Checkout: carts, delivery and tax, what an order is made of and what happened to it, letters, buyers who
-- sign in. The defaults fill the rows there are; new rows get theirs from the models.
ALTER TABLE orders
    DROP CONSTRAINT orders_state_known,
    ADD CONSTRAINT orders_state_known CHECK (state IN ('reserved', 'authorising', 'review', 'paid', 'failed',
        'expired', 'cancelled', 'refunded', 'sold_out')),
    ADD COLUMN subtotal_minor BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN discount_minor BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN shipping_minor BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN tax_minor BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN captured_minor BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN refunded_minor BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN prices_include_tax BOOLEAN NOT NULL DEFAULT true,
    ADD COLUMN shipping_method VARCHAR NOT NULL DEFAULT '',
    ADD COLUMN signed_in BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN country VARCHAR,
    ADD COLUMN region VARCHAR,
    ADD COLUMN address_sealed BYTEA,
    ADD COLUMN key VARCHAR,
    ADD UNIQUE (brand_id, key);
UPDATE orders SET subtotal_minor = total_minor,
    captured_minor = CASE WHEN state IN ('paid', 'refunded') THEN total_minor ELSE 0 END,
    refunded_minor = CASE WHEN state = 'refunded' THEN total_minor ELSE 0 END;
ALTER TABLE orders
    ALTER subtotal_minor DROP DEFAULT,
    ALTER discount_minor DROP DEFAULT,
    ALTER shipping_minor DROP DEFAULT,
    ALTER tax_minor DROP DEFAULT,
    ALTER captured_minor DROP DEFAULT,
    ALTER refunded_minor DROP DEFAULT,
    ALTER prices_include_tax DROP DEFAULT,
    ALTER shipping_method DROP DEFAULT,
    ALTER signed_in DROP DEFAULT;

ALTER TABLE order_line
    ADD COLUMN list_minor BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN discount_minor BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN tax_minor BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN tax_percent NUMERIC(6, 3) NOT NULL DEFAULT 0,
    ADD COLUMN tax_title VARCHAR NOT NULL DEFAULT '',
    ADD COLUMN cost_minor BIGINT,
    ADD COLUMN offer_id UUID,
    ADD COLUMN tier_id UUID,
    ADD COLUMN bundle_id UUID,
    ADD COLUMN hold_id UUID,
    ADD COLUMN returned INTEGER NOT NULL DEFAULT 0;
CREATE INDEX order_line_open ON order_line (order_id) WHERE state = 'open';
UPDATE order_line SET list_minor = unit_minor;
ALTER TABLE order_line
    ALTER list_minor DROP DEFAULT,
    ALTER discount_minor DROP DEFAULT,
    ALTER tax_minor DROP DEFAULT,
    ALTER tax_percent DROP DEFAULT,
    ALTER tax_title DROP DEFAULT,
    ALTER returned DROP DEFAULT;

ALTER TABLE customer ADD COLUMN member_since TIMESTAMP WITH TIME ZONE;

CREATE TABLE order_event (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    order_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    author VARCHAR,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE
);
CREATE INDEX ix_order_event_brand_id ON order_event (brand_id);
CREATE INDEX ix_order_event_order_id ON order_event (order_id);
CREATE INDEX order_event_in_time ON order_event (order_id, at, id);

CREATE TABLE cart_line (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    show_id UUID NOT NULL,
    viewer_id VARCHAR NOT NULL,
    variant_id UUID NOT NULL,
    offer_id UUID,
    quantity INTEGER NOT NULL,
    hold_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT cart_line_quantity_positive CHECK (quantity > 0),
    UNIQUE (show_id, viewer_id, variant_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(variant_id) REFERENCES variant (id) ON DELETE CASCADE
);
CREATE INDEX ix_cart_line_brand_id ON cart_line (brand_id);
CREATE INDEX ix_cart_line_show_id ON cart_line (show_id);
CREATE INDEX ix_cart_line_variant_id ON cart_line (variant_id);

CREATE TABLE shipping_method (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    title VARCHAR NOT NULL,
    countries JSON NOT NULL,
    price_minor BIGINT NOT NULL,
    free_from_minor BIGINT,
    currency VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    days VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT shipping_method_price_not_negative CHECK (price_minor >= 0),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_shipping_method_brand_id ON shipping_method (brand_id);

CREATE TABLE tax_rate (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    country VARCHAR NOT NULL,
    region VARCHAR,
    tax_class VARCHAR NOT NULL,
    percent NUMERIC(6, 3) NOT NULL,
    title VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT tax_rate_percent_sane CHECK (percent >= 0 AND percent < 100),
    UNIQUE NULLS NOT DISTINCT (brand_id, country, region, tax_class),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_tax_rate_brand_id ON tax_rate (brand_id);

CREATE TABLE shop_terms (
    brand_id UUID NOT NULL,
    prices_include_tax BOOLEAN NOT NULL,
    country VARCHAR,
    confirm_above_minor BIGINT NOT NULL,
    withdrawal_days INTEGER NOT NULL,
    return_policy VARCHAR NOT NULL,
    contact VARCHAR NOT NULL,
    PRIMARY KEY (brand_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);

CREATE TABLE mail (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    to_sealed BYTEA NOT NULL,
    kind VARCHAR NOT NULL,
    ref VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    letter_sealed BYTEA,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    error VARCHAR,
    PRIMARY KEY (id),
    CONSTRAINT mail_state_known CHECK (state IN ('queued', 'sent', 'failed')),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    UNIQUE (key)
);
CREATE INDEX ix_mail_brand_id ON mail (brand_id);
CREATE INDEX ix_mail_ref ON mail (ref);

CREATE TABLE shopper_session (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    customer_id UUID NOT NULL,
    token_hash VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    proved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    proved_by VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT shopper_session_proved_by_known CHECK (proved_by IN ('code', 'passkey')),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(customer_id) REFERENCES customer (id) ON DELETE CASCADE,
    UNIQUE (token_hash)
);
CREATE INDEX ix_shopper_session_brand_id ON shopper_session (brand_id);
CREATE INDEX ix_shopper_session_customer_id ON shopper_session (customer_id);

CREATE TABLE sign_in_code (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    email_hash VARCHAR NOT NULL,
    code_hash VARCHAR NOT NULL,
    tries INTEGER NOT NULL,
    used BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_sign_in_code_brand_id ON sign_in_code (brand_id);
CREATE INDEX ix_sign_in_code_email_hash ON sign_in_code (email_hash);

CREATE TABLE passkey (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    customer_id UUID NOT NULL,
    credential_id BYTEA NOT NULL,
    public_key BYTEA NOT NULL,
    sign_count BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(customer_id) REFERENCES customer (id) ON DELETE CASCADE,
    UNIQUE (credential_id)
);
CREATE INDEX ix_passkey_brand_id ON passkey (brand_id);
CREATE INDEX ix_passkey_customer_id ON passkey (customer_id);

CREATE TABLE passkey_challenge (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    customer_id UUID,
    challenge BYTEA NOT NULL,
    purpose VARCHAR NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT passkey_challenge_purpose_known CHECK (purpose IN ('register', 'sign_in', 'confirm')),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_passkey_challenge_brand_id ON passkey_challenge (brand_id);
CREATE INDEX ix_passkey_challenge_expires_at ON passkey_challenge (expires_at);
