"""TODO src/tastemap/serve/people."""
