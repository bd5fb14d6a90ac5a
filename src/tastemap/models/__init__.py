"""Models: each file holds one algorithm, and each model is a `Recommender`."""
