"""TODO src/tastemap/kernels/gibbs."""
