"""TODO src/tastemap/serve/model."""
