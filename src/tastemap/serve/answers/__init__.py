"""TODO src/tastemap/serve/answers."""
