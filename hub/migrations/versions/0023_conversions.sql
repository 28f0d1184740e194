-- Conversions on their way to other companies: what is told, how each account wants it, what browsers are called.
CREATE TABLE conversion (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    order_id UUID,
    event_name VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL,
    value_minor BIGINT,
    currency VARCHAR,
    payload_sealed BYTEA,
    state VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    attempts INTEGER NOT NULL,
    event_at TIMESTAMP WITH TIME ZONE NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    with_email BOOLEAN NOT NULL,
    with_phone BOOLEAN NOT NULL,
    with_click BOOLEAN NOT NULL,
    diagnostics JSON NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT conversion_state_known
        CHECK (state IN ('waiting', 'withheld', 'sent', 'refused', 'too_old')),
    UNIQUE (connection_id, event_name, event_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(connection_id) REFERENCES connection (id),
    FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE
);
CREATE INDEX conversion_due ON conversion (connection_id, next_at) WHERE state = 'waiting';
CREATE INDEX conversion_newest ON conversion (connection_id, state, event_at);
CREATE INDEX ix_conversion_brand_id ON conversion (brand_id);
CREATE INDEX ix_conversion_connection_id ON conversion (connection_id);
CREATE INDEX ix_conversion_order_id ON conversion (order_id);

CREATE TABLE conversion_desk (
    connection_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    shops BOOLEAN NOT NULL,
    paused BOOLEAN NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    read_at TIMESTAMP WITH TIME ZONE NOT NULL,
    rest_until TIMESTAMP WITH TIME ZONE,
    checked_at TIMESTAMP WITH TIME ZONE,
    last_sent_at TIMESTAMP WITH TIME ZONE,
    problem VARCHAR,
    pixel VARCHAR NOT NULL,
    PRIMARY KEY (connection_id),
    FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_conversion_desk_brand_id ON conversion_desk (brand_id);

CREATE TABLE ad_ids (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    visitor_id VARCHAR NOT NULL,
    ga_client VARCHAR,
    ga_sessions JSON NOT NULL,
    gclid VARCHAR,
    fbp VARCHAR,
    fbc VARCHAR,
    ttp VARCHAR,
    ttclid VARCHAR,
    user_agent_sealed BYTEA,
    ip_sealed BYTEA,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (brand_id, visitor_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ad_ids_old ON ad_ids (at);
CREATE INDEX ix_ad_ids_brand_id ON ad_ids (brand_id);

-- Whoever follows orders looks for what changed since.
CREATE INDEX orders_changed ON orders (brand_id, updated_at);
