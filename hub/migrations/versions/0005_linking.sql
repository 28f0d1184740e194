-- What linking an account by consent needs: logins that are under way or to be given back, allowances used.
ALTER TABLE connection
    ADD COLUMN account_id VARCHAR,
    ADD COLUMN account_detail VARCHAR,
    ADD COLUMN account_picture VARCHAR,
    ADD COLUMN login_id UUID,
    ADD COLUMN tokens_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN key_entered_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN alarm VARCHAR;

CREATE TABLE linking (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    member_id UUID NOT NULL,
    connector VARCHAR NOT NULL,
    app_sealed BYTEA NOT NULL,
    state_hash VARCHAR,
    verifier_sealed BYTEA,
    reconnect_id UUID,
    found_sealed BYTEA,
    problem VARCHAR,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (state_hash),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(member_id) REFERENCES member (id) ON DELETE CASCADE,
    FOREIGN KEY(reconnect_id) REFERENCES connection (id) ON DELETE CASCADE
);
CREATE INDEX ix_linking_brand_id ON linking (brand_id);
CREATE INDEX ix_linking_member_id ON linking (member_id);
CREATE INDEX ix_linking_reconnect_id ON linking (reconnect_id);
CREATE INDEX ix_linking_expires_at ON linking (expires_at);

CREATE TABLE revocation (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    connector VARCHAR NOT NULL,
    app_sealed BYTEA NOT NULL,
    tokens_sealed BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_revocation_brand_id ON revocation (brand_id);

CREATE TABLE quota_use (
    pot VARCHAR NOT NULL,
    day DATE NOT NULL,
    units BIGINT NOT NULL,
    PRIMARY KEY (pot, day)
);
