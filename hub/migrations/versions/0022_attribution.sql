-- Attribution runs.
CREATE TABLE attribution_run (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    version INTEGER NOT NULL,
    reason VARCHAR NOT NULL,
    author VARCHAR,
    model_version INTEGER NOT NULL,
    state VARCHAR NOT NULL,
    step VARCHAR NOT NULL,
    percent INTEGER NOT NULL,
    orders BIGINT NOT NULL,
    touches BIGINT NOT NULL,
    from_at TIMESTAMP WITH TIME ZONE,
    to_at TIMESTAMP WITH TIME ZONE,
    path VARCHAR,
    size BIGINT NOT NULL,
    notes JSON NOT NULL,
    took_ms BIGINT NOT NULL,
    reason_failed VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    done_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT attribution_run_state_known CHECK (state IN ('waiting', 'running', 'done', 'failed', 'pruned')),
    CONSTRAINT attribution_run_reason_known CHECK (reason IN ('staff', 'show_ended', 'daily')),
    UNIQUE (brand_id, version),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_attribution_run_brand_id ON attribution_run (brand_id);
CREATE UNIQUE INDEX attribution_run_waiting ON attribution_run (brand_id) WHERE state = 'waiting';
