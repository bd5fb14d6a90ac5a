"""TODO src/tastemap/data/readers."""
