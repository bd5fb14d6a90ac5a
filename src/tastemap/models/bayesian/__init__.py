"""The Bayesian model: the sampler, its chains, the posterior and what is predicted from it."""
