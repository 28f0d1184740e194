-- Messages that were deleted before they were heard.
CREATE TABLE chat_tombstone (
    show_id UUID NOT NULL,
    platform VARCHAR NOT NULL,
    external_id VARCHAR NOT NULL,
    brand_id UUID NOT NULL,
    PRIMARY KEY (show_id, platform, external_id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_chat_tombstone_brand_id ON chat_tombstone (brand_id);
-- When a viewer may speak again.
CREATE TABLE chat_turn (
    show_id UUID NOT NULL,
    viewer_hash VARCHAR NOT NULL,
    brand_id UUID NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (show_id, viewer_hash),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_chat_turn_brand_id ON chat_turn (brand_id);
