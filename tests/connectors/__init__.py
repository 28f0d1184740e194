"""Tests of the connectors: each against its fake, over real sockets, with the vendor's real client."""
