ALTER TABLE show
    ADD COLUMN units_per_network INTEGER NOT NULL DEFAULT 40,
    ADD CONSTRAINT show_units_per_network_sane CHECK (units_per_network >= 0);
ALTER TABLE show ALTER units_per_network DROP DEFAULT;

ALTER TABLE hold
    ADD COLUMN network_hash BIGINT,
    ADD CONSTRAINT hold_network_while_held CHECK (network_hash IS NULL OR state = 'held');
CREATE INDEX hold_of_network ON hold (network_hash) WHERE network_hash IS NOT NULL;

ALTER TABLE waitlist
    ADD COLUMN network_hash BIGINT,
    ADD CONSTRAINT waitlist_network_while_waiting CHECK (network_hash IS NULL OR state = 'waiting');

ALTER TABLE delivery
    DROP CONSTRAINT delivery_verb_known,
    ADD CONSTRAINT delivery_verb_known CHECK (verb IN ('send', 'reply', 'private', 'announce'));
