"""TODO src/tastemap/explore/report."""
