"""The engines we bring along: PostgreSQL and NATS as children of `simulcast up`."""
