"""TODO src/tastemap/models/base."""
