"""SRT on paper: packets, the handshake, key material. Pure; both who listens and who calls use it."""
