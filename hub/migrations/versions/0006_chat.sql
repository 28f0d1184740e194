-- Chat both ways: who wrote, what was moderated, what is passed on.
-- The defaults fill the rows there are; new rows get theirs from the models.
ALTER TABLE message
    ADD COLUMN author_picture VARCHAR,
    ADD COLUMN badges JSON NOT NULL DEFAULT '[]',
    ADD COLUMN fragments JSON NOT NULL DEFAULT '[]',
    ADD COLUMN reply_to VARCHAR,
    ADD COLUMN hidden BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN staff_only BOOLEAN NOT NULL DEFAULT false;
UPDATE message SET staff_only = true
WHERE outgoing AND NOT EXISTS (
    SELECT FROM delivery WHERE delivery.message_id = message.id AND delivery.platform = 'own');
ALTER TABLE message
    ALTER badges DROP DEFAULT,
    ALTER fragments DROP DEFAULT,
    ALTER hidden DROP DEFAULT,
    ALTER staff_only DROP DEFAULT;

ALTER TABLE delivery
    ADD COLUMN verb VARCHAR NOT NULL DEFAULT 'send',
    ADD COLUMN purpose VARCHAR NOT NULL DEFAULT 'reply',
    ADD COLUMN text VARCHAR NOT NULL DEFAULT '',
    ADD COLUMN answers VARCHAR,
    ADD COLUMN due_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT delivery_verb_known CHECK (verb IN ('send', 'reply', 'announce')),
    ADD CONSTRAINT delivery_purpose_known CHECK (purpose IN ('reply', 'relay'));
UPDATE delivery SET text = message.text FROM message WHERE message.id = delivery.message_id;
ALTER TABLE delivery
    ALTER verb DROP DEFAULT,
    ALTER purpose DROP DEFAULT,
    ALTER text DROP DEFAULT;
CREATE INDEX delivery_of_target ON delivery (target_id, id);

CREATE TABLE chat_reading (
    target_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    heard_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (target_id),
    FOREIGN KEY(target_id) REFERENCES show_target (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_chat_reading_brand_id ON chat_reading (brand_id);

CREATE TABLE chat_pace (
    target_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    full_at TIMESTAMP WITH TIME ZONE NOT NULL,
    shed BIGINT NOT NULL,
    PRIMARY KEY (target_id),
    FOREIGN KEY(target_id) REFERENCES show_target (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_chat_pace_brand_id ON chat_pace (brand_id);

CREATE TABLE chat_relay (
    show_id UUID NOT NULL,
    source VARCHAR NOT NULL,
    into_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    PRIMARY KEY (show_id, source, into_id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(into_id) REFERENCES show_target (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_chat_relay_brand_id ON chat_relay (brand_id);

CREATE TABLE chat_mute (
    brand_id UUID NOT NULL,
    platform VARCHAR NOT NULL,
    author_id VARCHAR NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (brand_id, platform, author_id),
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);

CREATE TABLE moderation_action (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    show_id UUID NOT NULL,
    message_id UUID,
    target_id UUID,
    platform VARCHAR NOT NULL,
    verb VARCHAR NOT NULL,
    does VARCHAR,
    seconds INTEGER,
    author_id VARCHAR,
    author_name VARCHAR,
    excerpt VARCHAR NOT NULL,
    by_id UUID NOT NULL,
    by_name VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    result VARCHAR NOT NULL,
    attempts INTEGER NOT NULL,
    undoes_id UUID,
    undone BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT moderation_action_verb_known
        CHECK (verb IN ('delete', 'hide', 'unhide', 'timeout', 'ban', 'unban')),
    CONSTRAINT moderation_action_state_known CHECK (state IN ('queued', 'done', 'here', 'failed')),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE CASCADE,
    FOREIGN KEY(message_id) REFERENCES message (id) ON DELETE SET NULL,
    FOREIGN KEY(target_id) REFERENCES show_target (id) ON DELETE SET NULL,
    FOREIGN KEY(undoes_id) REFERENCES moderation_action (id) ON DELETE SET NULL
);
CREATE INDEX ix_moderation_action_brand_id ON moderation_action (brand_id);
CREATE INDEX ix_moderation_action_show_id ON moderation_action (show_id);
CREATE INDEX ix_moderation_action_message_id ON moderation_action (message_id);
