"""One stock for every channel: on hand, held, committed, and the ledger that explains them."""
