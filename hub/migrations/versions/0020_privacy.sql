-- Rights: requests, erasures, retention rules, who looked; members are invited.
CREATE TABLE rights_request (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    customer_id UUID NOT NULL,
    kind VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    asked_by UUID,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    step INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    problem VARCHAR NOT NULL,
    proof JSON NOT NULL,
    file_path VARCHAR,
    expires_at TIMESTAMP WITH TIME ZONE,
    who_sealed BYTEA,
    PRIMARY KEY (id),
    CONSTRAINT rights_request_kind_known CHECK (kind IN ('export', 'erase')),
    CONSTRAINT rights_request_state_known CHECK (state IN ('queued', 'working', 'done', 'failed', 'expired')),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_rights_request_brand_id ON rights_request (brand_id);
CREATE INDEX ix_rights_request_customer_id ON rights_request (customer_id);
CREATE INDEX rights_request_newest ON rights_request (brand_id, asked_at);
CREATE UNIQUE INDEX rights_request_once ON rights_request (customer_id, kind)
    WHERE state IN ('queued', 'working');

CREATE TABLE erasure (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    request_id UUID NOT NULL,
    node_hashes VARCHAR[] NOT NULL,
    visitor_ids VARCHAR[] NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    UNIQUE (request_id)
);
CREATE INDEX ix_erasure_brand_id ON erasure (brand_id);
CREATE INDEX erasure_of_node ON erasure USING gin (node_hashes);
CREATE INDEX erasure_of_visitor ON erasure USING gin (visitor_ids);

CREATE TABLE retention_rule (
    brand_id UUID NOT NULL,
    subject VARCHAR NOT NULL,
    days INTEGER,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (brand_id, subject),
    CONSTRAINT retention_rule_days_sane CHECK (days BETWEEN 1 AND 36500),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);

CREATE TABLE retention_run (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    subject VARCHAR NOT NULL,
    before TIMESTAMP WITH TIME ZONE NOT NULL,
    removed BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_retention_run_brand_id ON retention_run (brand_id);
CREATE INDEX retention_run_newest ON retention_run (brand_id, at);

CREATE TABLE look_log (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    member_id UUID NOT NULL,
    subject VARCHAR NOT NULL,
    subject_id UUID NOT NULL,
    fields VARCHAR[] NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_look_log_brand_id ON look_log (brand_id);
CREATE INDEX ix_look_log_member_id ON look_log (member_id);
CREATE INDEX ix_look_log_subject_id ON look_log (subject_id);
CREATE INDEX look_log_newest ON look_log (brand_id, at);

-- What is left of an order whose buyer was erased is never filled in again by its shop's news.
ALTER TABLE orders ADD COLUMN erased_at TIMESTAMP WITH TIME ZONE;

ALTER TABLE member ADD COLUMN removed_at TIMESTAMP WITH TIME ZONE;
CREATE TABLE member_invite (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    member_id UUID NOT NULL,
    token_hash VARCHAR NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(member_id) REFERENCES member (id) ON DELETE CASCADE,
    UNIQUE (member_id),
    UNIQUE (token_hash)
);
CREATE INDEX ix_member_invite_brand_id ON member_invite (brand_id);
