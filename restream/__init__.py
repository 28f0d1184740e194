"""The media engine: moves one feed to many places. Knows neither the hub nor the connectors; has no database."""
