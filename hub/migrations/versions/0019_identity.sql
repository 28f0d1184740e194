-- The identity graph: edges, merges and their log.
-- The defaults fill the rows there are; new rows get theirs from the models.
ALTER TABLE customer ADD COLUMN phone_sealed BYTEA;

ALTER TABLE identity
    ADD COLUMN home_id UUID REFERENCES customer (id),
    ADD COLUMN value_sealed BYTEA,
    ADD COLUMN hint VARCHAR NOT NULL DEFAULT '',
    ADD COLUMN state VARCHAR NOT NULL DEFAULT 'ok',
    ADD COLUMN met BOOLEAN NOT NULL DEFAULT true,
    ADD COLUMN verified_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN name VARCHAR,
    ADD COLUMN named_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN member_since TIMESTAMP WITH TIME ZONE,
    ADD COLUMN loose_hash VARCHAR,
    ADD COLUMN likeness_hash VARCHAR,
    DROP CONSTRAINT identity_kind_known,
    ADD CONSTRAINT identity_kind_known
        CHECK (kind IN ('email', 'phone', 'platform_user', 'visitor', 'account', 'payment')),
    ADD CONSTRAINT identity_state_known CHECK (state IN ('ok', 'shared', 'ignored'));
UPDATE identity SET home_id = customer_id, name = customer.name, named_at = customer.created_at,
    member_since = customer.member_since FROM customer WHERE customer.id = identity.customer_id;
-- The address that was kept is the first one they gave.
UPDATE identity SET value_sealed = customer.email_sealed FROM customer
    WHERE customer.id = identity.customer_id AND identity.id = (
        SELECT id FROM identity AS first WHERE first.customer_id = customer.id AND first.kind = 'email'
        ORDER BY created_at, id LIMIT 1);
-- Who has signed in has shown that the address is theirs; of several nobody knows which.
UPDATE identity SET verified_at = seen.at FROM (
    SELECT customer_id, min(created_at) AS at FROM shopper_session GROUP BY customer_id
) AS seen WHERE seen.customer_id = identity.customer_id AND identity.kind = 'email'
    AND NOT EXISTS (SELECT FROM identity AS other WHERE other.customer_id = identity.customer_id
        AND other.kind = 'email' AND other.id <> identity.id);
ALTER TABLE identity
    ALTER home_id SET NOT NULL,
    ALTER hint DROP DEFAULT,
    ALTER state DROP DEFAULT,
    ALTER met DROP DEFAULT;
CREATE INDEX ix_identity_home_id ON identity (home_id);
CREATE INDEX identity_loose ON identity (brand_id, loose_hash) WHERE loose_hash IS NOT NULL;
CREATE INDEX identity_like ON identity (brand_id, likeness_hash) WHERE likeness_hash IS NOT NULL;

CREATE TABLE identity_edge (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    a_id UUID NOT NULL,
    b_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    strength VARCHAR NOT NULL,
    source_type VARCHAR NOT NULL,
    source_id VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    revoked_by VARCHAR,
    PRIMARY KEY (id),
    CONSTRAINT identity_edge_kind_known
        CHECK (kind IN ('order', 'sign_in', 'claim', 'oauth', 'cookie', 'staff', 'import')),
    CONSTRAINT identity_edge_strength_known CHECK (strength IN ('proof', 'hint')),
    UNIQUE (brand_id, source_type, source_id, a_id, b_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(a_id) REFERENCES identity (id) ON DELETE CASCADE,
    FOREIGN KEY(b_id) REFERENCES identity (id) ON DELETE CASCADE
);
CREATE INDEX ix_identity_edge_brand_id ON identity_edge (brand_id);
CREATE INDEX ix_identity_edge_a_id ON identity_edge (a_id);
CREATE INDEX ix_identity_edge_b_id ON identity_edge (b_id);
-- What was one person stays one: by their oldest node, and every other tied to it.
INSERT INTO identity_edge
SELECT gen_random_uuid(), other.brand_id, least(oldest.id, other.id), greatest(oldest.id, other.id), 'import',
    'proof', 'customer', other.customer_id::text, 'Known as one person before evidence was kept.',
    other.created_at, now()
FROM identity AS other JOIN (SELECT customer_id, min(id::text)::uuid AS id FROM identity GROUP BY customer_id)
    AS oldest ON oldest.customer_id = other.customer_id AND oldest.id <> other.id;

CREATE TABLE person_change (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    customer_id UUID NOT NULL,
    other_id UUID,
    kind VARCHAR NOT NULL,
    why VARCHAR NOT NULL,
    edge_id UUID,
    author VARCHAR,
    before JSON NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT person_change_kind_known CHECK (
        kind IN ('merged', 'split', 'confirmed', 'dismissed', 'quarantined', 'named', 'undone')),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(customer_id) REFERENCES customer (id),
    FOREIGN KEY(other_id) REFERENCES customer (id)
);
CREATE INDEX ix_person_change_brand_id ON person_change (brand_id);
CREATE INDEX ix_person_change_customer_id ON person_change (customer_id);
CREATE INDEX ix_person_change_other_id ON person_change (other_id);
CREATE INDEX person_change_newest ON person_change (brand_id, at);

CREATE TABLE suggestion (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    a UUID NOT NULL,
    b UUID NOT NULL,
    confidence NUMERIC(3, 2) NOT NULL,
    reasons JSON NOT NULL,
    state VARCHAR NOT NULL,
    author VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT suggestion_state_known CHECK (state IN ('open', 'confirmed', 'dismissed')),
    UNIQUE (brand_id, a, b),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(a) REFERENCES customer (id),
    FOREIGN KEY(b) REFERENCES customer (id)
);
CREATE INDEX ix_suggestion_brand_id ON suggestion (brand_id);
CREATE INDEX ix_suggestion_a ON suggestion (a);
CREATE INDEX ix_suggestion_b ON suggestion (b);
CREATE INDEX suggestion_open ON suggestion (brand_id, state, confidence);

-- What somebody did keeps the node they did it with; whose it is follows from that.
ALTER TABLE orders ADD COLUMN identity_id UUID;
ALTER TABLE touch ADD COLUMN identity_id UUID;
ALTER TABLE shopper_session ADD COLUMN identity_id UUID;
ALTER TABLE saved_method ADD COLUMN identity_id UUID;
ALTER TABLE passkey ADD COLUMN identity_id UUID;
UPDATE orders SET identity_id = (
    SELECT id FROM identity WHERE identity.customer_id = orders.customer_id
    ORDER BY kind = 'platform_user' AND source = orders.channel DESC, kind = 'email' DESC, id LIMIT 1)
    WHERE customer_id IS NOT NULL;
UPDATE touch SET identity_id = (
    SELECT id FROM identity WHERE identity.customer_id = touch.customer_id ORDER BY kind = 'email' DESC, id LIMIT 1)
    WHERE customer_id IS NOT NULL;
UPDATE shopper_session SET identity_id = (
    SELECT id FROM identity WHERE identity.customer_id = shopper_session.customer_id
    ORDER BY kind = 'email' DESC, id LIMIT 1);
UPDATE saved_method SET identity_id = (
    SELECT id FROM identity WHERE identity.customer_id = saved_method.customer_id
    ORDER BY kind = 'email' DESC, id LIMIT 1);
UPDATE passkey SET identity_id = (
    SELECT id FROM identity WHERE identity.customer_id = passkey.customer_id
    ORDER BY kind = 'email' DESC, id LIMIT 1);
CREATE INDEX ix_orders_identity_id ON orders (identity_id);
CREATE INDEX ix_touch_identity_id ON touch (identity_id);
CREATE INDEX ix_shopper_session_identity_id ON shopper_session (identity_id);
CREATE INDEX ix_saved_method_identity_id ON saved_method (identity_id);
CREATE INDEX ix_passkey_identity_id ON passkey (identity_id);
