"""Somebody the model has never seen: a few ratings in, recommendations with reasons out.

python examples/new_person.py demo/model "Star Wars (1977)=5" "Scream (1996)=1"

The first word is a saved model (`make demo` writes one), the others are ratings of ids or titles.
"""
# ruff: noqa: T201 - an example prints

import sys
from typing import Any

import tastemap as tm


def main(model: Any, ratings: dict[str, float]) -> None:
    """Recommend, explain the first, and see what one rating changes."""
    answer = model.recommend(ratings=ratings, k=5)
    print(answer)

    first = answer["title"][0]
    print(f"\nWhy {first}? The parts sum to the predicted rating.")
    print(model.explain(ratings=ratings, item_id=answer["item_id"][0]))

    print("\nThe same, moved towards what few people know:")
    print(model.recommend(ratings=ratings, k=5, novelty=0.7))

    changed = ratings | {first: model.ratings_.scale.lowest}
    print(f"\nAnd if {first} turned out to be a disappointment:")
    print(model.recommend(ratings=changed, k=5))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    rated = [word.rpartition("=") for word in sys.argv[2:]]
    main(tm.load_model(sys.argv[1]), {item: float(stars) for item, _, stars in rated})
