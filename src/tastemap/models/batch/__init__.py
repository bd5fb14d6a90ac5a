"""TODO src/tastemap/models/batch."""
