"""TODO src/tastemap/evaluation/tuning."""
