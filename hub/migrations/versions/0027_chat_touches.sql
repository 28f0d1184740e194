-- A person's timeline, and their erasure, ask for all they ever wrote.
CREATE INDEX message_author ON message (brand_id, platform, author_id);

DELETE FROM person_change WHERE kind = 'named';
ALTER TABLE person_change DROP CONSTRAINT person_change_kind_known, ADD CONSTRAINT person_change_kind_known CHECK (
    kind IN ('merged', 'split', 'confirmed', 'dismissed', 'quarantined', 'undone'));
