-- Segments and what they are given, and saved cohorts.
-- cohorts
CREATE TABLE cohort (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    name VARCHAR NOT NULL,
    definition JSON NOT NULL,
    show_id UUID,
    author VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (brand_id, name),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(show_id) REFERENCES show (id) ON DELETE SET NULL
);
CREATE INDEX ix_cohort_brand_id ON cohort (brand_id);
CREATE INDEX ix_cohort_show_id ON cohort (show_id);
-- segments
CREATE TABLE segment (
    id UUID NOT NULL,
    brand_id UUID NOT NULL,
    name VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    orders INTEGER,
    cohort_id UUID,
    counted_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT segment_rule_known CHECK (rule IN ('members', 'migrated', 'buyers', 'cohort')),
    CONSTRAINT segment_orders_of_buyers CHECK ((rule = 'buyers') = (orders IS NOT NULL)),
    CONSTRAINT segment_cohort_of_cohort CHECK ((rule = 'cohort') = (cohort_id IS NOT NULL)),
    UNIQUE (brand_id, name),
    FOREIGN KEY(brand_id) REFERENCES brand (id),
    FOREIGN KEY(cohort_id) REFERENCES cohort (id)
);
CREATE INDEX ix_segment_brand_id ON segment (brand_id);
CREATE INDEX ix_segment_cohort_id ON segment (cohort_id);
CREATE TABLE segment_member (
    segment_id UUID NOT NULL,
    customer_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (segment_id, customer_id),
    FOREIGN KEY(segment_id) REFERENCES segment (id) ON DELETE CASCADE,
    FOREIGN KEY(customer_id) REFERENCES customer (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_segment_member_customer_id ON segment_member (customer_id);
CREATE INDEX ix_segment_member_brand_id ON segment_member (brand_id);
CREATE TABLE migrated_person (
    customer_id UUID NOT NULL,
    brand_id UUID NOT NULL,
    channel VARCHAR NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (customer_id),
    FOREIGN KEY(customer_id) REFERENCES customer (id) ON DELETE CASCADE,
    FOREIGN KEY(brand_id) REFERENCES brand (id)
);
CREATE INDEX ix_migrated_person_brand_id ON migrated_person (brand_id);
ALTER TABLE offer ADD COLUMN segment_id UUID REFERENCES segment (id);
