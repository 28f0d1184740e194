ALTER TABLE chat_pace ADD COLUMN private BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE chat_pace ALTER COLUMN private DROP DEFAULT;
ALTER TABLE chat_pace DROP CONSTRAINT chat_pace_pkey, ADD PRIMARY KEY (connection_id, private);
