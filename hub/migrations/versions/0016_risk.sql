-- Risk: scores, reviews, traces of identities, and how often each bought.
CREATE TABLE risk_terms (
    brand_id UUID NOT NULL,
    review_from INTEGER NOT NULL,
    review_minutes INTEGER NOT NULL,
    unreviewed VARCHAR NOT NULL,
    rules JSON NOT NULL,
    paces JSON NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (brand_id),
    CONSTRAINT risk_terms_unreviewed_known CHECK (unreviewed IN ('refuse', 'approve')),
    CONSTRAINT risk_terms_review_from_sane CHECK (review_from BETWEEN 1 AND 101),
    CONSTRAINT risk_terms_review_minutes_sane CHECK (review_minutes BETWEEN 1 AND 120),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);

CREATE TABLE risk_score (
    order_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    score INTEGER NOT NULL,
    reasons JSON NOT NULL,
    held BOOLEAN NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (order_id),
    FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_risk_score_brand_id ON risk_score (brand_id);

CREATE TABLE risk_review (
    order_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    state VARCHAR NOT NULL,
    choice_sealed BYTEA,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    acts_at TIMESTAMP WITH TIME ZONE,
    author VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (order_id),
    CONSTRAINT risk_review_state_known
        CHECK (state IN ('open', 'approving', 'refusing', 'approved', 'refused', 'closed')),
    FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_risk_review_brand_id ON risk_review (brand_id);
CREATE INDEX risk_review_waiting ON risk_review (brand_id, due_at)
    WHERE state IN ('open', 'approving', 'refusing');
CREATE INDEX risk_review_newest ON risk_review (brand_id, created_at);

CREATE TABLE risk_trace (
    order_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    brand_id UUID NOT NULL,
    value_hash VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (order_id, kind),
    CONSTRAINT risk_trace_kind_known
        CHECK (kind IN ('viewer', 'device', 'network', 'email', 'method', 'address')),
    FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_risk_trace_brand_id ON risk_trace (brand_id);
CREATE INDEX risk_trace_found ON risk_trace (value_hash, at);
CREATE INDEX risk_trace_old ON risk_trace (at);

CREATE TABLE risk_pace (
    brand_id UUID NOT NULL,
    pace VARCHAR NOT NULL,
    value_hash VARCHAR NOT NULL,
    marks JSONB NOT NULL,
    refused BIGINT NOT NULL,
    refused_at TIMESTAMP WITH TIME ZONE,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (brand_id, pace, value_hash),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX risk_pace_old ON risk_pace (until);
