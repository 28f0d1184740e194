-- After the sale: returns, refunds piece by piece, invoices, and a brand's own terms.
CREATE TABLE aftersale_terms (
    brand_id UUID NOT NULL,
    legal_name VARCHAR NOT NULL,
    legal_address VARCHAR NOT NULL,
    vat_id VARCHAR NOT NULL,
    invoice_prefix VARCHAR NOT NULL,
    invoice_note VARCHAR NOT NULL,
    return_address VARCHAR NOT NULL,
    return_days INTEGER NOT NULL,
    longest_delivery_days INTEGER NOT NULL,
    returner_orders INTEGER NOT NULL,
    returner_percent INTEGER NOT NULL,
    high_value_minor BIGINT,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (brand_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);

CREATE TABLE order_delivery (
    order_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    delivered_at TIMESTAMP WITH TIME ZONE,
    tracking VARCHAR NOT NULL,
    PRIMARY KEY (order_id),
    FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_order_delivery_brand_id ON order_delivery (brand_id);

CREATE TABLE return_request (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    order_id UUID NOT NULL,
    number VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    answer VARCHAR NOT NULL,
    author VARCHAR,
    key VARCHAR NOT NULL,
    refund_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT return_request_state_known
        CHECK (state IN ('asked', 'approved', 'received', 'refunded', 'rejected', 'closed')),
    CONSTRAINT return_request_kind_known CHECK (kind IN ('cancel', 'withdrawal', 'return')),
    UNIQUE (brand_id, number),
    UNIQUE (order_id, key),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE
);
CREATE INDEX ix_return_request_brand_id ON return_request (brand_id);
CREATE INDEX ix_return_request_order_id ON return_request (order_id);
CREATE INDEX ix_return_request_refund_id ON return_request (refund_id);
CREATE INDEX return_request_open ON return_request (brand_id, created_at);

CREATE TABLE return_line (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    return_id UUID NOT NULL,
    order_line_id UUID NOT NULL,
    quantity INTEGER NOT NULL,
    received INTEGER NOT NULL,
    restock BOOLEAN,
    reason VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT return_line_quantity_positive CHECK (quantity > 0),
    CONSTRAINT return_line_received_within CHECK (received >= 0 AND received <= quantity),
    UNIQUE (return_id, order_line_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(return_id) REFERENCES return_request (id) ON DELETE CASCADE,
    FOREIGN KEY(order_line_id) REFERENCES order_line (id) ON DELETE CASCADE
);
CREATE INDEX ix_return_line_brand_id ON return_line (brand_id);
CREATE INDEX ix_return_line_order_line_id ON return_line (order_line_id);
CREATE INDEX ix_return_line_return_id ON return_line (return_id);

CREATE TABLE refund_part (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    order_id UUID NOT NULL,
    refund_id UUID NOT NULL,
    order_line_id UUID,
    quantity INTEGER NOT NULL,
    amount_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    restocked INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT refund_part_amount_not_negative CHECK (amount_minor >= 0),
    CONSTRAINT refund_part_quantity_not_negative CHECK (quantity >= 0),
    CONSTRAINT refund_part_restocked_within CHECK (restocked >= 0 AND restocked <= quantity),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY(order_line_id) REFERENCES order_line (id) ON DELETE CASCADE
);
CREATE INDEX ix_refund_part_brand_id ON refund_part (brand_id);
CREATE INDEX ix_refund_part_order_id ON refund_part (order_id);
CREATE INDEX ix_refund_part_refund_id ON refund_part (refund_id);

CREATE TABLE invoice_series (
    brand_id UUID NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (brand_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);

CREATE TABLE invoice (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    order_id UUID NOT NULL,
    refund_id UUID,
    number VARCHAR NOT NULL,
    n BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    data JSON NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT invoice_kind_known CHECK (kind IN ('invoice', 'credit_note')),
    UNIQUE (brand_id, number),
    UNIQUE (brand_id, n),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(order_id) REFERENCES orders (id)
);
CREATE UNIQUE INDEX credit_note_once ON invoice (refund_id) WHERE refund_id IS NOT NULL;
CREATE UNIQUE INDEX invoice_of_order_once ON invoice (order_id) WHERE kind = 'invoice';
CREATE INDEX ix_invoice_brand_id ON invoice (brand_id);
CREATE INDEX ix_invoice_order_id ON invoice (order_id);

CREATE TABLE terms_said (
    show_id UUID NOT NULL,
    product_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    member_id UUID NOT NULL,
    said_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (show_id, product_id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(product_id) REFERENCES product (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(member_id) REFERENCES member (id)
);
CREATE INDEX ix_terms_said_brand_id ON terms_said (brand_id);

-- The studio lists a brand's orders, newest first, a page at a time.
CREATE INDEX orders_newest ON orders (brand_id, placed_at, id);
