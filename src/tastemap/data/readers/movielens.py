"""MovieLens, every release: recognised in a folder or zip by its files, and parsed.

The releases come in four forms: 100K (``u.data`` and its companions), 1M and 10M
(``ratings.dat``, ``::`` between fields), everything later (``ratings.csv``), and 100K as RecBole
carries it (``.inter``, ``.item``, ``.user``). All give the same tables:

    items   item_id, title, year, release_date, release_year, genres, and where the release has
            them imdb_url, imdb_id, tmdb_id, tags
    users   user_id, and where the release has them age (100K) or age_group (1M), gender,
            occupation, zip_code
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import polars as pl

from tastemap.data.nouns import FILM
from tastemap.data.ratings import Ratings
from tastemap.data.readers.archive import DataFile, boundary, open_files
from tastemap.data.readers.chunked_text import Reading
from tastemap.data.readers.dialect import Dialect, sniff
from tastemap.data.readers.encoding import guess_encoding
from tastemap.data.readers.roles import ROLES
from tastemap.data.readers.table import RatingsTable, read_file
from tastemap.data.readers.text import Layout, TextFile
from tastemap.errors import DataError
from tastemap.support.formulas import restored

GENRES_100K = [
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary",
    "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi",
    "Thriller", "War", "Western",
]  # fmt: skip
# Codes of users.dat, from the README of the 1M release.
_AGE_GROUPS = {
    "1": "under 18", "18": "18-24", "25": "25-34", "35": "35-44", "45": "45-49", "50": "50-55",
    "56": "56 and over",
}  # fmt: skip
_OCCUPATIONS = [
    "other", "academic/educator", "artist", "clerical/admin", "college/grad student",
    "customer service", "doctor/health care", "executive/managerial", "farmer", "homemaker",
    "K-12 student", "lawyer", "programmer", "retired", "sales/marketing", "scientist",
    "self-employed", "technician/engineer", "tradesman/craftsman", "unemployed", "writer",
]  # fmt: skip
# "Title (1995)", "Title (2006-2007)", "Title (1995) (V)"; the first group is the title.
_TITLE_AND_YEAR = r"^(.*\S)\s*\((\d{4})(?:[-–]\s?\d{0,4})?\)\s*(?:\((?:V|TV|VG|mini)\))?\s*$"
# How releases write that a film has no known genre: its list is empty.
_NO_GENRE = ("(no genres listed)", "unknown", "")
MAX_TAGS = 10

#: The files of a release, by name.
Release: TypeAlias = Mapping[str, DataFile]


def read_movielens(
    path: str | Path,
    *,
    name: str | None = None,
    duplicates: str = "last",
    missing_times: str = "drop",
    reading: Reading | None = None,
) -> Ratings:
    """A release of MovieLens, from the folder or zip that holds it.

    The release is recognised by its files, not by the name of the folder; the files may lie up to
    three levels deep. Rows keep the file's order, which the published folds of 100K rely on.

    Args:
        path: The folder or zip.
        name: The name of the data; the folder's name by default.
        duplicates, missing_times: As for `read_ratings`.
        reading: What becomes of bad rows of ratings, and the progress.

    Raises:
        DataError: If there is no release in it, or several; if a file of it is damaged; or if
            the zip is truncated or has members whose paths leave it.
    """
    path, reading = Path(path).expanduser(), reading or Reading()
    with boundary(str(path)):
        table = _read_release(find_release(path), reading)
        return table.to_ratings(
            name or path.stem, duplicates=duplicates, missing_times=missing_times
        )


def _read_release(folder: Release, reading: Reading) -> RatingsTable:
    if "u.data" in folder:
        return _read_100k(folder, reading)
    if any(file.endswith(".inter") for file in folder):
        return _read_recbole(folder, reading)
    if "ratings.csv" in folder or "movies.csv" in folder:
        return _read_csv(folder, reading)
    return _read_dat(folder, reading)


def find_release(path: Path) -> Release:
    """The files of the one folder that holds a release, at the least depth at which one is.

    Raises:
        DataError: If no folder in there holds a release, or several do.
    """
    releases = releases_in(open_files(path))
    if len(releases) == 1:
        return next(iter(releases.values()))
    several = ", ".join(map(str, releases))
    raise DataError(
        str(path),
        expected="one MovieLens release: u.data, ratings.dat, ratings.csv, ratings.parquet or "
        "a file .inter",
        received=f"several: {several}" if releases else "none of these files",
        do="name the folder of one of them" if releases else "check the path, or name the file",
    )


def releases_in(files: Mapping[PurePosixPath, DataFile]) -> dict[PurePosixPath, Release]:
    """The folders that hold a release, at the least depth at which one is."""
    folders: dict[PurePosixPath, dict[str, DataFile]] = {}
    for inside, file in files.items():
        folders.setdefault(inside.parent, {})[inside.name] = file
    releases = {parent: files for parent, files in folders.items() if _is_release(files)}
    depth = min((len(parent.parts) for parent in releases), default=0)
    return {parent: files for parent, files in releases.items() if len(parent.parts) == depth}


def holds_release(files: Mapping[PurePosixPath, DataFile]) -> bool:
    """Whether files are a release of MovieLens, and not any set with a file ``ratings.csv``."""
    releases = [{*names} for names in releases_in(files).values()]
    return any("movies.csv" in names or _is_release(names - {"ratings.csv"}) for names in releases)


def _is_release(names: Collection[str]) -> bool:
    ratings = ("u.data", "ratings.dat", "ratings.csv", "ratings.parquet")
    return any(name in names for name in ratings) or sum(n.endswith(".inter") for n in names) == 1


def _ending(files: Release, suffix: str) -> list[DataFile]:
    return [file for name, file in files.items() if name.endswith(suffix)]


def _read_ratings(file: DataFile, delimiter: str, reading: Reading) -> RatingsTable:
    """The ratings of a release without a header; nothing is inferred or noted."""
    chosen = {role: f"column_{place}" for place, role in enumerate(ROLES, start=1)}
    return read_file(file, chosen, reading, Dialect(delimiter, "utf-8", has_header=False))


def _read_100k(folder: Release, reading: Reading) -> RatingsTable:
    table = _read_ratings(folder["u.data"], "\t", reading)
    items = users = None
    if "u.item" in folder:
        genres = GENRES_100K
        if "u.genre" in folder:
            genres = _text(folder["u.genre"], "|", ("genre", "code"))["genre"].to_list()
        of_items = ("item_id", "title", "date", "video_date", "imdb_url")
        raw = _text(folder["u.item"], "|", (*of_items, *(f"is_{genre}" for genre in genres)))
        flags = [pl.when(pl.col(f"is_{g}") == "1").then(pl.lit(g)) for g in genres]
        raw = raw.with_columns(genres=pl.concat_list(flags).list.drop_nulls())
        items = _items(raw, keep=("imdb_url",))
    if "u.user" in folder:
        of_users = ("user_id", "age", "gender", "occupation", "zip_code")
        users = _with_ages(_text(folder["u.user"], "|", of_users))
    return _joined(table, items, users, "MovieLens 100K (u.data)")


def _read_dat(folder: Release, reading: Reading) -> RatingsTable:
    if "ratings.dat" in folder:
        table, form = _read_ratings(folder["ratings.dat"], "::", reading), "ratings.dat"
    else:
        table, form = read_file(folder["ratings.parquet"], {}, reading), "ratings.parquet"
    items = users = None
    if "movies.dat" in folder:
        items = _items(_text(folder["movies.dat"], "::", ("item_id", "title", "genres")))
        if "tags.dat" in folder:
            of_tags = ("user_id", "item_id", "tag", "timestamp")
            items = _with_tags(items, _text(folder["tags.dat"], "::", of_tags))
    if "users.dat" in folder:
        of_users = ("user_id", "gender", "age", "occupation", "zip_code")
        occupations = {str(code): occupation for code, occupation in enumerate(_OCCUPATIONS)}
        users = _text(folder["users.dat"], "::", of_users).select(
            "user_id",
            pl.col("age").replace_strict(_AGE_GROUPS, default=None).alias("age_group"),
            "gender",
            pl.col("occupation").replace_strict(occupations, default=None),
            "zip_code",
        )
    return _joined(table, items, users, f"MovieLens with files .dat ({form})")


def _read_csv(folder: Release, reading: Reading) -> RatingsTable:
    form = "ratings.csv" if "ratings.csv" in folder else "ratings.parquet"
    table = read_file(folder[form], {}, reading)
    items = None
    if "movies.csv" in folder:
        raw = restored(_text(folder["movies.csv"], ",", needs=("movieId", "title", "genres")))
        items = _items(raw.rename({"movieId": "item_id"}))
        if "links.csv" in folder:
            links = _text(folder["links.csv"], ",", needs=("movieId", "imdbId", "tmdbId")).select(
                pl.col("movieId").alias("item_id"),
                pl.col("imdbId").alias("imdb_id"),
                pl.col("tmdbId").cast(pl.Int64, strict=False).alias("tmdb_id"),
            )
            items = items.join(links, on="item_id", how="left", maintain_order="left")
        if "tags.csv" in folder:
            tags = _text(folder["tags.csv"], ",", needs=("movieId", "tag"))
            items = _with_tags(items, tags.rename({"movieId": "item_id"}))
    return _joined(table, items, None, f"MovieLens with files .csv ({form})")


def _read_recbole(folder: Release, reading: Reading) -> RatingsTable:
    (inter,) = _ending(folder, ".inter")
    table = read_file(inter, {}, reading)
    items = users = None
    for file in _ending(folder, ".item")[:1]:
        raw = _text(file, "\t", needs=("item_id", "movie_title", "release_year", "class"))
        raw = raw.rename({"movie_title": "title", "class": "genres"})
        raw = raw.with_columns(pl.col("release_year").cast(pl.Int32, strict=False))
        items = _items(raw, separator=" ")
    for file in _ending(folder, ".user")[:1]:
        users = _with_ages(_text(file, "\t", needs=("user_id", "age")))
    return _joined(table, items, users, f"RecBole's form ({Path(inter.name).name})")


def _text(
    file: DataFile, delimiter: str, columns: tuple[str, ...] = (), *, needs: tuple[str, ...] = ()
) -> pl.DataFrame:
    """A companion file as columns of text: UTF-8, or Latin-1 where it is not valid UTF-8.

    Its columns are ``columns``, or those of its header, which must hold ``needs``.
    """
    file = file.unpacked()
    encoding = guess_encoding(file)
    if columns:
        return TextFile(file, Layout(columns, delimiter, encoding=encoding)).strings()
    text, _ = sniff(file, Dialect(delimiter, encoding, has_header=True))
    if lacking := [column for column in needs if column not in text.layout.columns]:
        raise DataError(
            f"{file.name}, column {lacking[0]}",
            expected=f"columns {', '.join(needs)}",
            received=", ".join(text.layout.columns),
            do="use the release's own file, or read the ratings' file alone",
        )
    return replace(text, layout=replace(text.layout, quoted=delimiter == ",")).strings()


def _items(raw: pl.DataFrame, *, separator: str = "|", keep: tuple[str, ...] = ()) -> pl.DataFrame:
    """The items' table from ``item_id``, a title with its year, genres and maybe a date."""
    if raw["genres"].dtype == pl.String:
        raw = raw.with_columns(pl.col("genres").fill_null("").str.split(separator))
    year_in_title = pl.col("title").str.extract(_TITLE_AND_YEAR, 2).cast(pl.Int32)
    date = pl.lit(None, pl.Date)
    if "date" in raw.columns:
        date = pl.col("date").str.to_date("%d-%b-%Y", strict=False)
    release_year = pl.col("release_year") if "release_year" in raw.columns else pl.lit(None)
    year = pl.coalesce(year_in_title, date.dt.year(), release_year).cast(pl.Int32)
    title, is_genre = pl.col("title"), ~pl.element().is_in(_NO_GENRE)
    return raw.select(
        "item_id",
        pl.coalesce(title.str.extract(_TITLE_AND_YEAR, 1), title.str.strip_chars()).alias("title"),
        year.alias("year"),
        date.alias("release_date"),
        pl.coalesce(date.dt.year(), year).alias("release_year"),
        pl.col("genres").list.eval(pl.element().filter(is_genre)).alias("genres"),
        *keep,
    )


def _with_ages(users: pl.DataFrame) -> pl.DataFrame:
    return users.with_columns(pl.col("age").cast(pl.Int32, strict=False))


def _with_tags(items: pl.DataFrame, tags: pl.DataFrame) -> pl.DataFrame:
    """The items with a column ``tags``: the most frequent ones, at most ten, most first."""
    counted = (
        tags.select("item_id", pl.col("tag").str.strip_chars().str.to_lowercase())
        .drop_nulls()
        .group_by("item_id", "tag")
        .len("times")
        .sort("times", "tag", descending=[True, False])
        .group_by("item_id", maintain_order=True)
        .agg(pl.col("tag").head(MAX_TAGS).alias("tags"))
    )
    return items.join(counted, on="item_id", how="left", maintain_order="left")


def _joined(
    table: RatingsTable, items: pl.DataFrame | None, users: pl.DataFrame | None, form: str
) -> RatingsTable:
    notes = (f"read as {form}", *table.notes)
    return replace(table, items=items, users=users, notes=notes, noun=FILM.singular)
