-- The viewer-event log: cursors and sealed files.
CREATE TABLE event_cursor (
    source VARCHAR NOT NULL,
    position VARCHAR NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (source)
);

CREATE TABLE event_file (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    show_id UUID NOT NULL,
    path VARCHAR NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL,
    sealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    UNIQUE (path)
);
CREATE INDEX ix_event_file_brand_id ON event_file (brand_id);
CREATE INDEX ix_event_file_show_id ON event_file (show_id);

-- The ledger is read in time by whoever copies it. A summary per range of pages costs a buyer nothing.
CREATE INDEX stock_movement_in_time ON stock_movement USING brin (created_at);
