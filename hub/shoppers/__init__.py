"""Buyers who sign in: by a code sent to them, by a passkey; and what they may then do in one tap."""
