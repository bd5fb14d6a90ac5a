"""TODO src/tastemap/serve/web."""
