-- Payments in full: saved methods, refunds, disputes, and which gateway comes first.
CREATE TABLE saved_method (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    customer_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    ref_sealed BYTEA NOT NULL,
    gateway_customer VARCHAR,
    card_brand VARCHAR NOT NULL,
    last4 VARCHAR NOT NULL,
    exp_month INTEGER,
    exp_year INTEGER,
    consent VARCHAR NOT NULL,
    consented_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT saved_method_state_known CHECK (state IN ('ok', 'gone')),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(customer_id) REFERENCES customer (id) ON DELETE CASCADE,
    FOREIGN KEY(connection_id) REFERENCES connection (id)
);
CREATE INDEX ix_saved_method_brand_id ON saved_method (brand_id);
CREATE INDEX ix_saved_method_connection_id ON saved_method (connection_id);
CREATE INDEX ix_saved_method_customer_id ON saved_method (customer_id);

ALTER TABLE payment
    DROP CONSTRAINT payment_order_id_key,
    DROP CONSTRAINT payment_state_known,
    ALTER hold_id DROP NOT NULL,
    ADD COLUMN saved_method_id UUID REFERENCES saved_method (id),
    ADD COLUMN captured_minor BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN refunded_minor BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN request_sealed BYTEA,
    ADD COLUMN action_sealed BYTEA,
    ADD COLUMN answer_sealed BYTEA,
    ADD COLUMN round INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN cause VARCHAR,
    ADD COLUMN problem VARCHAR,
    ADD COLUMN sent_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN due_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN held_until TIMESTAMP WITH TIME ZONE,
    ADD COLUMN expires_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    ADD CONSTRAINT payment_state_known CHECK (state IN ('queued', 'authorising', 'action_required', 'authorised', 'capturing', 'captured', 'capture_failed', 'declined', 'voiding', 'voided', 'refunded'));
ALTER TABLE payment
    ALTER captured_minor DROP DEFAULT,
    ALTER refunded_minor DROP DEFAULT,
    ALTER round DROP DEFAULT,
    ALTER created_at DROP DEFAULT;
-- What is known of the payments there are: they were taken whole, and given back whole.
UPDATE payment SET created_at = updated_at,
    captured_minor = CASE WHEN state IN ('captured', 'refunded') THEN amount_minor ELSE 0 END,
    refunded_minor = CASE WHEN state = 'refunded' THEN amount_minor ELSE 0 END,
    due_at = CASE WHEN state IN ('queued', 'authorising', 'action_required')
        THEN updated_at + interval '5 minutes' END;
ALTER TABLE payment ADD CONSTRAINT payment_money_conserved
    CHECK (0 <= refunded_minor AND refunded_minor <= captured_minor AND captured_minor <= amount_minor);
CREATE INDEX ix_payment_connection_id ON payment (connection_id);
CREATE INDEX ix_payment_order_id ON payment (order_id);
CREATE INDEX payment_due ON payment (due_at) WHERE state IN ('queued', 'authorising', 'action_required');
CREATE UNIQUE INDEX payment_of_order ON payment (order_id) WHERE state NOT IN ('declined', 'voided');

CREATE TABLE refund (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    order_id UUID NOT NULL,
    payment_id UUID,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    author VARCHAR,
    state VARCHAR NOT NULL,
    ref VARCHAR,
    key VARCHAR NOT NULL,
    before_minor BIGINT,
    message VARCHAR NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT refund_state_known CHECK (state IN ('queued', 'sent', 'done', 'failed')),
    CONSTRAINT refund_of_something CHECK (amount_minor > 0),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(order_id) REFERENCES orders (id),
    FOREIGN KEY(payment_id) REFERENCES payment (id),
    UNIQUE (key)
);
CREATE INDEX ix_refund_brand_id ON refund (brand_id);
CREATE INDEX ix_refund_order_id ON refund (order_id);
CREATE INDEX ix_refund_payment_id ON refund (payment_id);
CREATE INDEX ix_refund_ref ON refund (ref);

CREATE TABLE dispute (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    order_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    ref VARCHAR NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT dispute_state_known CHECK (state IN ('open', 'won', 'lost')),
    UNIQUE (connection_id, ref),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(order_id) REFERENCES orders (id),
    FOREIGN KEY(payment_id) REFERENCES payment (id),
    FOREIGN KEY(connection_id) REFERENCES connection (id)
);
CREATE INDEX ix_dispute_brand_id ON dispute (brand_id);
CREATE INDEX ix_dispute_order_id ON dispute (order_id);
CREATE INDEX ix_dispute_payment_id ON dispute (payment_id);

CREATE TABLE gateway_rank (
    connection_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    position INTEGER NOT NULL,
    budget_ms INTEGER,
    PRIMARY KEY (connection_id),
    FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_gateway_rank_brand_id ON gateway_rank (brand_id);

CREATE TABLE gateway_timing (
    connection_id UUID NOT NULL,
    minute TIMESTAMP WITH TIME ZONE NOT NULL,
    operation VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    le_ms INTEGER NOT NULL,
    brand_id UUID NOT NULL,
    calls BIGINT NOT NULL,
    total_ms BIGINT NOT NULL,
    PRIMARY KEY (connection_id, minute, operation, outcome, le_ms),
    FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX gateway_timing_minute ON gateway_timing (minute);
