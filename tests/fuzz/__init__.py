"""Coverage-guided fuzzing: what a stranger may send us, and what may come of it."""
