"""TODO src/tastemap/metrics."""
