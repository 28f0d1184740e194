"""Long runs: `make soak`. SOAK_SECONDS says how long (20 minutes unless set)."""
