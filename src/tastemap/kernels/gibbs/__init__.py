"""Conditional distributions of the Gibbs sampler of the Bayesian factorisation."""
