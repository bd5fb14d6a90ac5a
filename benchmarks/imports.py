"""How much of exports of other services finds its film: services, spellings, and what is wrong.

A list is made of the most rated films of a catalogue, in the true form of each service: its
columns, its scale, its dates, and its rules of spelling, which are written down below. Where the
services call a film otherwise than MovieLens does, `NAMES` says how. The list is read and matched
as the application does it. `found` is what is ticked or proposed with the right film, `asked` what
a person has to choose, `missed` the rest; `wrong` is ticked or proposed with another film.

`without the film` matches the same lists with a catalogue from which the film was taken away, each
by its own: every tick and every proposal is wrong there. `another year` matches them with years
that are five off, as a remake has.

Run: python benchmarks/imports.py --data ml-100k ml-1m
"""

import argparse
import csv
import io
import json
import time
from collections.abc import Callable
from typing import NamedTuple
from xml.sax.saxutils import escape

import tastemap as tm
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Vocabulary
from tastemap.explore.imports.entries import Entry
from tastemap.explore.imports.matching import Matcher, matcher_of
from tastemap.explore.imports.ratings import Review, read_ratings, review
from tastemap.explore.imports.titles import bracketed

N_FILMS = 200
MAX_BYTES = 20_000_000
# Articles that MovieLens puts last.
ARTICLES = ("The", "A", "An", "La", "Le", "Les", "Il", "El", "Das", "Der", "Die", "L'", "Los")
STAR_WARS = "Star Wars: Episode "


class Names(NamedTuple):
    """What services call a film that some call otherwise than the catalogue; "" where as this does.

    Attributes:
        imdb: IMDb; ``original``: its column of original titles.
        tmdb: TMDb, and those that have their titles from it: Letterboxd, Trakt, Simkl.
        movielens: The site of MovieLens.
    """

    imdb: str = ""
    tmdb: str = ""
    movielens: str = ""
    original: str = ""


# By the title of the catalogue without brackets and article.
NAMES = {
    "Star Wars": Names(STAR_WARS + "IV - A New Hope", "Star Wars", STAR_WARS + "IV - A New Hope"),
    "Empire Strikes Back": Names(
        STAR_WARS + "V - The Empire Strikes Back", "The Empire Strikes Back",
        STAR_WARS + "V - The Empire Strikes Back",
    ),
    "Return of the Jedi": Names(
        STAR_WARS + "VI - Return of the Jedi", "Return of the Jedi",
        STAR_WARS + "VI - Return of the Jedi",
    ),
    STAR_WARS + "IV - A New Hope": Names(tmdb="Star Wars"),
    STAR_WARS + "V - The Empire Strikes Back": Names(tmdb="The Empire Strikes Back"),
    STAR_WARS + "VI - Return of the Jedi": Names(tmdb="Return of the Jedi"),
    "Raiders of the Lost Ark": Names(
        imdb="Indiana Jones and the Raiders of the Lost Ark", original="Raiders of the Lost Ark",
        movielens="Raiders of the Lost Ark (Indiana Jones and the Raiders of the Lost Ark)",
    ),
    "Twelve Monkeys": Names("12 Monkeys", "12 Monkeys", "Twelve Monkeys (a.k.a. 12 Monkeys)"),
    "Seven": Names("Seven", "Se7en", "Seven (a.k.a. Se7en)", "Se7en"),
    "Professional": Names(
        "Léon: The Professional", "Léon: The Professional",
        "Léon: The Professional (a.k.a. The Professional) (Léon)", "Léon",
    ),
    "Postino": Names(
        "Il Postino: The Postman", "The Postman", "Postman, The (Postino, Il)", "Il postino"
    ),
    "Wrong Trousers": Names(
        "The Wrong Trousers", "The Wrong Trousers", "Wallace & Gromit: The Wrong Trousers"
    ),
    "Close Shave": Names("A Close Shave", "A Close Shave", "Wallace & Gromit: A Close Shave"),
    "William Shakespeare's Romeo and Juliet": Names(
        "Romeo + Juliet", "Romeo + Juliet", "William Shakespeare's Romeo + Juliet"
    ),
    "Alien 3": Names("Alien³", "Alien³", "Alien³ (a.k.a. Alien 3)"),
    "Willy Wonka and the Chocolate Factory": Names(
        *["Willy Wonka & the Chocolate Factory"] * 3
    ),
    "Godfather: Part II": Names("The Godfather Part II", "The Godfather Part II"),
    "M*A*S*H": Names("M*A*S*H", "M*A*S*H", "M*A*S*H (a.k.a. MASH)"),
    "Boot": Names("Das Boot", "Das Boot", "Boot, Das (Boat, The)"),
    "Independence Day": Names(movielens="Independence Day (a.k.a. ID4)"),
    "101 Dalmatians": Names(tmdb="One Hundred and One Dalmatians"),
    "Cinema Paradiso": Names(original="Nuovo Cinema Paradiso"),
    "Life Is Beautiful": Names(original="La vita è bella"),
    "Star Trek: The Wrath of Khan": Names(
        "Star Trek II: The Wrath of Khan", "Star Trek II: The Wrath of Khan",
        "Star Trek II: The Wrath of Khan",
    ),
}  # fmt: skip
# Each so-manieth film has another year with a service: of a festival, or of another country.
OTHER_YEAR = 10


class Film(NamedTuple):
    """A film of the list, as a service writes it.

    Attributes:
        title, original: The title of the service, and the original one.
        year: Its year.
        row: Its row in the catalogue.
        place: Its place in the list, from 0.
    """

    title: str
    original: str
    year: int
    row: int
    place: int


# ---- the list ----


def front(title: str) -> str:
    """A title with its article in front: Usual Suspects, The."""
    before, comma, after = title.rpartition(", ")
    if comma and after in ARTICLES:
        return f"{after}{'' if after.endswith(chr(39)) else ' '}{before}"
    return title


def films_of(data: Ratings, service: str) -> list[Film]:
    """The most rated films of a catalogue, as a service of `Names` writes them."""
    counts, items = data.by_item.counts, data.items.frame
    films: list[Film] = []
    titles: set[str] = set()
    for row in counts.argsort()[::-1].tolist():
        title, year = items["title"][row], items["year"][row]
        outside, _ = bracketed(title)
        names = NAMES.get(outside) or NAMES.get(without_article(outside)) or Names()
        if year is None or data.items.titles[row] in titles:
            continue
        titles.add(data.items.titles[row])
        usual = outside if service == "movielens" else front(outside)
        written = getattr(names, service) or usual
        place = len(films)
        year += place % OTHER_YEAR == OTHER_YEAR - 1
        films.append(Film(written, names.original or written, year, row, place))
        if len(films) == N_FILMS:
            break
    return films


def without_article(title: str) -> str:
    """A title without its article behind."""
    before, comma, after = title.rpartition(", ")
    return before if comma and after in ARTICLES else title


# ---- the services ----


def table(header: str, rows: list[list[object]]) -> bytes:
    """A table as CSV."""
    text = io.StringIO(newline="")
    text.write(header + "\r\n")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def day(film: Film) -> str:
    """The day on which a film was rated."""
    return f"2023-{film.place % 12 + 1:02}-{film.place % 28 + 1:02}"


def imdb(films: list[Film]) -> bytes:
    """Ratings as IMDb exports them, an episode of a series among them."""
    header = (
        "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,"
        "Runtime (mins),Year,Genres,Num Votes,Release Date,Directors"
    )
    rows: list[list[object]] = [
        *(
            [f"tt{9_000_000 + f.place}", f.place % 10 + 1, day(f), f.title, f.original, "https://x",
             "Movie", 7.9, 120, f.year, "Drama", 1_000, f"{f.year}-05-01", "Somebody"]
            for f in films
        ),
        ["tt1", 9, "2023-01-01", "Pilot", "Pilot", "https://x", "TV Episode", 8, 45, 1995, "", 9,
         "1995-01-01", ""],
    ]  # fmt: skip
    return table(header, rows)


def letterboxd(films: list[Film]) -> bytes:
    """``ratings.csv`` of Letterboxd, with typographic apostrophes."""
    rows: list[list[object]] = [
        [day(f), f.title.replace("'", "’"), f.year, "https://boxd.it/x", (f.place % 10 + 1) / 2]
        for f in films
    ]
    return table("Date,Name,Year,Letterboxd URI,Rating", rows)


def movielens(films: list[Film]) -> bytes:
    """Ratings as the site of MovieLens exports them."""
    rows: list[list[object]] = [
        [9_000_000 + f.place, 9_000_000 + f.place, "", (f.place % 10 + 1) / 2, 3.9,
         f"{f.title} ({f.year})"]
        for f in films
    ]  # fmt: skip
    return table("movie_id,imdb_id,tmdb_id,rating,average_rating,title", rows)


def trakt_csv(films: list[Film]) -> bytes:
    """Ratings of Trakt as CSV."""
    header = (
        "rated_at,type,title,year,trakt_rating,trakt_id,imdb_id,tmdb_id,tvdb_id,url,released,"
        "season_number,episode_number,episode_title,episode_released,episode_trakt_rating,"
        "episode_trakt_id,episode_imdb_id,episode_tmdb_id,episode_tvdb_id,genres,rating"
    )
    rows: list[list[object]] = [
        [f"{day(f)}T20:00:00.000Z", "movie", f.title, f.year, 8.1, 1, f"tt{9_000_000 + f.place}",
         9_000_000 + f.place, "", "https://x", f"{f.year}-05-01", *[""] * 9, "drama",
         f.place % 10 + 1]
        for f in films
    ]  # fmt: skip
    return table(header, rows)


def trakt_json(films: list[Film]) -> bytes:
    """Ratings of Trakt as JSON."""
    entries = [
        {
            "rated_at": f"{day(f)}T20:00:00.000Z",
            "rating": f.place % 10 + 1,
            "type": "movie",
            "movie": {"title": f.title, "year": f.year, "ids": {"trakt": 1, "slug": "x"}},
        }
        for f in films
    ]
    return json.dumps(entries).encode()


def simkl(films: list[Film]) -> bytes:
    """A backup of Simkl."""
    rows: list[list[object]] = [
        [9_000_000 + f.place, f.title, "movie", f.year, "completed", "", f"{day(f)} 20:00:00",
         f.place % 10 + 1, "", "", "", ""]
        for f in films
    ]  # fmt: skip
    header = (
        "SIMKL_ID,Title,Type,Year,Watchlist,LastEpWatched,WatchedDate,Rating,Memo,TVDB,TMDB,IMDB"
    )
    return table(header, rows)


def tmdb(films: list[Film]) -> bytes:
    """Ratings of TMDb, whose column ``Rating`` is everybody's."""
    header = (
        "TMDb ID,IMDb ID,Type,Name,Release Date,Season Number,Episode Number,Rating,Your Rating,"
        "Date Rated"
    )
    rows: list[list[object]] = [
        [9_000_000 + f.place, "", "movie", f.title, f"{f.year}-05-01T00:00:00Z", "", "", 7.2,
         (f.place % 20 + 1) / 2, f"{day(f)}T00:00:00Z"]
        for f in films
    ]  # fmt: skip
    return table(header, rows)


def criticker(films: list[Film]) -> bytes:
    """Ratings of Criticker, with blanks after commas."""
    lines = ["Score, Film Name, Year, Mini Review, URL, IMDB ID"]
    for f in films:
        title = f.title.replace('"', '""')
        lines.append(
            f'{f.place % 101}, "{title}", {f.year}, "", https://x, tt{9_000_000 + f.place}'
        )
    return "\n".join(lines).encode()


def myanimelist(films: list[Film]) -> bytes:
    """A list of MyAnimeList, which has no years."""
    anime = "".join(
        f"<anime><series_animedb_id>{f.place}</series_animedb_id><series_title>"
        f"{escape(f.title)}</series_title><series_type>Movie</series_type>"
        f"<my_score>{f.place % 10 + 1}</my_score><my_finish_date>{day(f)}</my_finish_date>"
        "<my_status>Completed</my_status></anime>"
        for f in films
    )
    return f'<?xml version="1.0" encoding="UTF-8" ?><myanimelist>{anime}</myanimelist>'.encode()


def goodreads(films: list[Film]) -> bytes:
    """A library of Goodreads, with the series in brackets."""
    header = (
        "Book Id,Title,Author,Author l-f,Additional Authors,ISBN,ISBN13,My Rating,Average Rating,"
        "Publisher,Binding,Number of Pages,Year Published,Original Publication Year,Date Read,"
        "Date Added,Bookshelves,Bookshelves with positions,Exclusive Shelf,My Review,Spoiler,"
        "Private Notes,Read Count,Owned Copies"
    )
    rows: list[list[object]] = [
        [f.place, f"{f.title} (Series, #{f.place})", "Somebody", "Somebody", "", '=""', '=""',
         f.place % 5 + 1, 4.0, "x", "x", 300, 2011, f.year, "2023/05/01", "2023/05/01", "", "",
         "read", "", "", "", 1, 0]
        for f in films
    ]  # fmt: skip
    return table(header, rows)


#: The form of each service, and the column of `Names` that says what it calls films.
SERVICES: dict[str, tuple[Callable[[list[Film]], bytes], str]] = {
    "MovieLens": (movielens, "movielens"),
    "Letterboxd": (letterboxd, "tmdb"),
    "IMDb": (imdb, "imdb"),
    "Trakt, CSV": (trakt_csv, "tmdb"),
    "Trakt, JSON": (trakt_json, "tmdb"),
    "Simkl": (simkl, "tmdb"),
    "Criticker": (criticker, "imdb"),
    "TMDb": (tmdb, "tmdb"),
    "Goodreads": (goodreads, "tmdb"),
    "MyAnimeList": (myanimelist, "tmdb"),
}


# ---- the counts ----


class Count(NamedTuple):
    """What became of a list: films found, asked, missed and wrong."""

    found: int
    asked: int
    missed: int
    wrong: int


def counted(result: Review, films: list[Film], data: Ratings) -> Count:
    """What became of the films of a list."""
    rows: dict[str, set[str]] = {}
    titles = data.items.titles
    for film in films:
        title = film.title.replace("'", "’")
        for name in (f"{film.title} ({film.year})", film.title, f"{title} ({film.year})"):
            rows.setdefault(name, set()).add(titles[film.row])
    proposed = [*result.sure, *(match for match in result.unsure if match.is_likely)]
    n_found = sum(titles[match.rows[0]] in rows[match.entry.name] for match in proposed)
    n_asked = len(result.unsure) - sum(match.is_likely for match in result.unsure)
    n_wrong = len(proposed) - n_found
    return Count(n_found, n_asked, len(films) - n_found - n_asked - n_wrong, n_wrong)


def decoys(data: Ratings, films: list[Film], shift: int) -> int:
    """How many films are ticked or proposed where another film is meant.

    Each is matched without itself; or, where its year is shifted, with itself.
    """
    frame, titles, whole = data.items.frame, data.items.titles, matcher_of(data.items)
    n_wrong = 0
    for film in films:
        entry, matcher = Entry(film.title, film.year + shift, 4.0), whole
        if not shift:
            near = rows_near(whole, entry)
            rest = frame[[row for row in near if titles[row] != titles[film.row]]]
            matcher = Matcher(Vocabulary(rest["item_id"], "item", rest))
        (answer,) = matcher.candidates([entry])
        n_wrong += answer.is_likely
    return n_wrong


def rows_near(matcher: Matcher, entry: Entry) -> list[int]:
    """All rows that share a spelling with an entry, and those with its words."""
    fits = [fit.row for fit in matcher._fits(entry)]
    return [*dict.fromkeys([*fits, *matcher._guess(entry).rows])]


def main() -> None:
    """Print a table for each catalogue."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=["ml-100k"], help="data sets by name")
    columns = ("service", "found", "asked", "missed", "wrong", "without the film", "another year")
    for name in parser.parse_args().data:
        data = tm.load_dataset(name)
        print(f"\nThe {N_FILMS} most rated of {len(data.items):,} films, {data.source.name}\n")
        print(f"| {' | '.join(columns)} | seconds |\n|{'---|' * (len(columns) + 1)}")
        for service, (write, names) in SERVICES.items():
            films = films_of(data, names)
            start = time.perf_counter()
            result = review(data, read_ratings(write(films), MAX_BYTES))
            seconds = time.perf_counter() - start
            counts = (*counted(result, films, data), decoys(data, films, 0), decoys(data, films, 5))
            print(f"| {service} | {' | '.join(map(str, counts))} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
