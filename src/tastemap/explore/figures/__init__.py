"""TODO src/tastemap/explore/figures."""
