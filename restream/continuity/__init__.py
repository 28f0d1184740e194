"""Who is on air: publishers by role, the slate between them, one timeline without a step back."""
