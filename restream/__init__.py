"""The media engine: one feed in, many out. Knows neither the hub nor the connectors; has no database."""
