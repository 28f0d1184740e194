-- What was not passed on stays with the show's target.
CREATE TABLE chat_shed (
    target_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    messages BIGINT NOT NULL,
    PRIMARY KEY (target_id),
    FOREIGN KEY(target_id) REFERENCES show_target (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_chat_shed_brand_id ON chat_shed (brand_id);
INSERT INTO chat_shed (target_id, brand_id, messages)
SELECT target_id, brand_id, shed FROM chat_pace WHERE shed > 0;

-- The fullest wait of an account's targets is what the account still has to wait.
ALTER TABLE chat_pace RENAME TO chat_pace_of_target;
ALTER INDEX chat_pace_pkey RENAME TO chat_pace_of_target_pkey;
ALTER INDEX ix_chat_pace_brand_id RENAME TO ix_chat_pace_of_target_brand_id;
CREATE TABLE chat_pace (
    connection_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    full_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (connection_id),
    FOREIGN KEY(connection_id) REFERENCES connection (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_chat_pace_brand_id ON chat_pace (brand_id);
INSERT INTO chat_pace (connection_id, brand_id, full_at)
SELECT target.connection_id, target.brand_id, max(pace.full_at)
FROM chat_pace_of_target pace JOIN show_target target ON target.id = pace.target_id
GROUP BY target.connection_id, target.brand_id;
DROP TABLE chat_pace_of_target;

CREATE INDEX delivery_queued ON delivery (target_id) WHERE state = 'queued';
