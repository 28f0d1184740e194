"""Attribution: tracked links, the visits they bring, and which of them led to an order."""
