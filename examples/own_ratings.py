"""From a file of ratings to a saved model: read, compare, save the better, ask it.

python examples/own_ratings.py ratings.csv my-model

Without a file it writes a small synthetic one and uses that.
"""
# ruff: noqa: T201 - an example prints

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import tastemap as tm


def main(path: Path, out: Path) -> None:
    """Read ratings, choose a model on validation ratings, save it fitted on everything."""
    ratings = tm.read_ratings(path)
    print(ratings)
    for note in ratings.source.notes:
        print("note:", note)

    train, test = tm.train_test_split(ratings, test_size=0.2, seed=0)
    board = tm.compare(["bias", "biased-dot"], train, test)
    print(board.frame)
    print("chosen by the validation error:", board.chosen)

    model = tm.make_model(board.chosen).fit(ratings, progress=False)
    print("saved in", model.save(out))

    user = ratings.users.ids[0]
    print(f"for user {user}:")
    print(tm.load_model(out).recommend(user, k=3))


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        given = [Path(word) for word in sys.argv[1:]]
        if not given:
            given = [Path(folder) / "ratings.csv"]
            tm.synthetic_ratings().to_frame().write_csv(given[0])
        main(given[0], given[1] if len(given) > 1 else Path(folder) / "my-model")
