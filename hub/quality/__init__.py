"""How viewers see it: what their players report, and what follows from it."""
