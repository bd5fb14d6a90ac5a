"""Whether the reasons of picks are true: four people of eight ratings each, on MovieLens 100K.

    python benchmarks/reasons.py [--models bayes mf als knn] [--ml-100k PATH]
        [--saved NAME=PATH …] [--show]

For each person the two rows of the first page with reasons, eight films each: how many have a
rating as their reason (`reasons`), how many a note (`notes`), on how many of a row's eight one
rating stands at most (`most`), and how many reasons are neither among the pick's 5 % most similar
nor share two genres with it (`wrong`). `--show` prints each pick with its reason.
"""

import argparse
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

PEOPLE = {
    "science fiction": {
        "Star Wars (1977)": 5,
        "Blade Runner (1982)": 5,
        "Alien (1979)": 5,
        "Terminator, The (1984)": 4,
        "2001: A Space Odyssey (1968)": 5,
        "Sleepless in Seattle (1993)": 2,
        "Pretty Woman (1990)": 1,
        "Star Trek: First Contact (1996)": 4,
    },
    "dramas": {
        "Piano, The (1993)": 5,
        "Secrets & Lies (1996)": 5,
        "Sense and Sensibility (1995)": 4,
        "Remains of the Day, The (1993)": 5,
        "English Patient, The (1996)": 5,
        "Independence Day (ID4) (1996)": 1,
        "Dumb & Dumber (1994)": 1,
        "Dead Man Walking (1995)": 4,
    },
    "children's films": {
        "Toy Story (1995)": 5,
        "Lion King, The (1994)": 5,
        "Aladdin (1992)": 4,
        "Beauty and the Beast (1991)": 5,
        "Babe (1995)": 5,
        "Pulp Fiction (1994)": 1,
        "Seven (Se7en) (1995)": 2,
        "Mary Poppins (1964)": 4,
    },
    "horror": {
        "Scream (1996)": 5,
        "Nightmare on Elm Street, A (1984)": 5,
        "Psycho (1960)": 4,
        "Shining, The (1980)": 5,
        "Evil Dead II (1987)": 5,
        "Carrie (1976)": 4,
        "Sound of Music, The (1965)": 2,
        "Forrest Gump (1994)": 2,
    },
}
NEAR_SHARE, N_PICKS = 0.05, 8
ROWS = ("top-picks", "loved-by-few")


@dataclass
class Row:
    """What one row of a person's first page says."""

    reasons: int
    notes: int
    most: int
    wrong: int


def main() -> None:
    """Ask each model, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=("bayes", "mf", "als", "knn"))
    parser.add_argument("--ml-100k", help="folder or zip of MovieLens 100K; else fetched or cached")
    parser.add_argument("--saved", nargs="*", default=(), help="NAME=PATH of models saved before")
    parser.add_argument("--show", action="store_true", help="print each pick with its reason")
    args = parser.parse_args()
    saved = dict(pair.split("=", 1) for pair in args.saved)
    print(
        "| model | person | row | reasons | notes | most | wrong |\n|---|---|---|---|---|---|---|"
    )
    for name in args.models:
        for person, row, judged in first_pages(fitted(name, saved, args.ml_100k), args.show):
            counts = f"{judged.reasons} | {judged.notes} | {judged.most} | {judged.wrong}"
            print(f"| {name} | {person} | {row} | {counts} |", flush=True)


def fitted(name: str, saved: dict[str, str], source: str | None) -> Any:
    """A model on all ratings, or a saved one."""
    import tastemap as tm

    if name in saved:
        return tm.load_model(saved[name])
    return tm.make_model(name).fit(tm.load_dataset("ml-100k", source=source), progress=False)


def first_pages(model: Any, show: bool) -> list[tuple[str, str, Row]]:
    """The rows with reasons of each person's first page."""
    from tastemap.serve.answers.first_page import first_page
    from tastemap.serve.model.loaded import LoadedModel

    loaded, answers = LoadedModel(model, {}, ""), []
    for person, ratings in PEOPLE.items():
        rows = model.fitted_data.items.find_all(list(ratings))
        user = loaded.fold_in(rows, np.array(list(ratings.values()), dtype=np.float32))
        page = {row.key: row.items for row in first_page(loaded, user, N_PICKS)}
        for key in ROWS:
            answers.append((person, key, judged(model, page[key])))
            for card in page[key] if show else ():
                why = f"{card.because.title} ({card.because.rating:g})" if card.because else ""
                print(f"    {card.title} [{card.n_ratings}]: {why or card.note or ''}")
    return answers


def judged(model: Any, cards: list[Any]) -> Row:
    """The counts of one row."""
    items = model.fitted_data.items
    genres = [set(names or ()) for names in items.frame["genres"].to_list()]
    named = [(card.item_id, card.because.item_id) for card in cards if card.because]
    uses, wrong = Counter(reason for _, reason in named), 0
    for pick, reason in named:
        pick_row, row = items.index([pick, reason])
        similarity = model.similarity_rows(int(pick_row))
        rank = int(np.count_nonzero(similarity > similarity[row]))
        is_near = rank <= NEAR_SHARE * len(items)
        wrong += not is_near and len(genres[pick_row] & genres[row]) < 2
    notes = sum(card.note is not None for card in cards)
    return Row(len(named), notes, max(uses.values(), default=0), wrong)


if __name__ == "__main__":
    main()
