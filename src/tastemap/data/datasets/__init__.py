"""TODO src/tastemap/data/datasets."""
