"""TODO src/tastemap/support."""
