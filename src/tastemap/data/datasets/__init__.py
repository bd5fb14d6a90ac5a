"""Data sets: MovieLens by name, synthetic ratings, and real ratings expanded to any size."""
