"""Attribution: which visits led to an order."""
