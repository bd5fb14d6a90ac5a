"""A small table of random ratings for the kernels of the Gibbs sampler."""

import numpy as np

U, M, N = 6, 9, 40


class Case:
    """Random ratings of 6 users and 9 items, grouped both ways, with rows of width D."""

    def __init__(self, D: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.user = np.sort(rng.integers(0, U - 1, N)).astype(np.int32)  # the last has none
        self.item = rng.integers(0, M, N).astype(np.int32)
        self.indices = np.argsort(self.item, kind="stable")
        self.by_user = np.searchsorted(self.user, np.arange(U + 1))
        self.by_item = np.searchsorted(self.item[self.indices], np.arange(M + 1))
        self.users, self.items = (rng.normal(size=(n, D)).astype(np.float32) for n in (U, M))
        self.e = rng.normal(size=N).astype(np.float32)
        self.w = rng.uniform(0.5, 2, N).astype(np.float32)
        self.level = rng.integers(0, 4, N).astype(np.int32)
