"""tastemap."""
