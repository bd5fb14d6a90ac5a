"""The Bayesian factorisation: its Gibbs sampler, its draws and its diagnostics."""
