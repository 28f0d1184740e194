"""The viewer-event log: everything that happened in a show, in order, to rebuild every figure from."""
