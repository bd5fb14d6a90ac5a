"""Models: each file one algorithm, all of them `Recommender`s."""
