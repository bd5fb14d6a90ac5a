"""TODO src/tastemap/models/bayesian."""
