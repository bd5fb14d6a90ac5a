"""Small folders in each of MovieLens' forms, with made-up ids and titles; a prepared table."""

import zipfile
from pathlib import Path

import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.readers.prepare import prepare_ratings

MOVIES = [
    # id, title, day, genres
    (1, "Shall We Dance? (1937)", "01-Jan-1937", ["Comedy", "Musical"]),
    (2, "Café, The (Le café (de nuit)) (1995)", "4-Feb-1996", ["Drama"]),
    (3, "unknown", "", ["unknown"]),
    (4, "Land Before Time III (1995) (V)", "01-Jan-1995", ["Children's"]),
]
RATINGS = [(2, 1, 5, 978300760), (1, 2, 3, 978302109), (1, 1, 4, 978301968), (2, 3, 1, 978300275)]
USERS = [(1, 24, "M", 16, "05201"), (2, 56, "F", 0, "T8H1N")]


def lines(rows, delimiter):
    return "".join(delimiter.join(map(str, row)) + "\n" for row in rows)


@pytest.fixture
def ml_100k(tmp_path):
    from tastemap.data.readers.movielens import GENRES_100K

    folder = tmp_path / "folder-100k"
    folder.mkdir()
    (folder / "u.data").write_text(lines(RATINGS, "\t"))
    items = [
        (one, title, day, "", f"http://imdb/{one}", *(int(g in genres) for g in GENRES_100K))
        for one, title, day, genres in MOVIES
    ]
    (folder / "u.item").write_text(lines(items, "|"), "latin-1")
    (folder / "u.genre").write_text(lines(((g, i) for i, g in enumerate(GENRES_100K)), "|") + "\n")
    (folder / "u.user").write_text(lines([(u, a, s, "writer", z) for u, a, s, _, z in USERS], "|"))
    (folder / "README").write_text("for research")
    return folder


@pytest.fixture
def ml_1m(tmp_path):
    folder = tmp_path / "folder-1m"
    folder.mkdir()
    (folder / "ratings.dat").write_text(lines(RATINGS, "::"))
    movies = [(one, title, "|".join(genres)) for one, title, _, genres in MOVIES]
    (folder / "movies.dat").write_text(lines(movies, "::"), "latin-1")
    users = [(user, sex, {24: 25, 56: 56}[age], job, z) for user, age, sex, job, z in USERS]
    (folder / "users.dat").write_text(lines(users, "::"))
    return folder


@pytest.fixture
def ml_latest(tmp_path):
    folder = tmp_path / "folder-latest"
    folder.mkdir()
    rows = [(u, i, r - 0.5, t) for u, i, r, t in RATINGS]
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + lines(rows, ","))
    movies = [
        (one, f'"{title}"' if "," in title else title, "|".join(genres))
        for one, title, _, genres in MOVIES
    ]
    movies[2] = (3, '"Say ""Hi"", 2 (2006–2007)"', "(no genres listed)")
    (folder / "movies.csv").write_text("movieId,title,genres\n" + lines(movies, ","), "utf-8")
    (folder / "links.csv").write_text("movieId,imdbId,tmdbId\n1,0029546,22688\n2,0112346,\n")
    (folder / "tags.csv").write_text(
        'userId,movieId,tag,timestamp\n1,1,dance,1\n2,1,Dance,2\n2,1,"slow, old",3\n2,2,coffee,4\n'
    )
    return folder


@pytest.fixture
def recbole(tmp_path):
    folder = tmp_path / "wheel" / "recbole" / "dataset_example" / "ml-100k"
    folder.mkdir(parents=True)
    (folder / "ml-100k.inter").write_text(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + lines(RATINGS, "\t")
    )
    items = [
        (1, "Shall We Dance?", 1937, "Comedy Musical"),
        (2, "Café, The", 1995, "Drama"),
        (3, "unknown", "", "unknown"),
    ]
    head = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    (folder / "ml-100k.item").write_text(head + lines(items, "\t"), "utf-8")
    head = "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
    users = [(user, age, sex, "writer", zip_code) for user, age, sex, _, zip_code in USERS]
    (folder / "ml-100k.user").write_text(head + lines(users, "\t"))
    return folder


@pytest.fixture
def zipped(tmp_path):
    """Packs a folder as a zip: ``zipped(folder, "ml-1m.zip")``."""

    def pack(folder, name, under="release"):
        archive = tmp_path / name
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
            for file in sorted(folder.iterdir()):
                writer.write(file, f"{under}/{file.name}")
        return archive

    return pack


@pytest.fixture
def parquet(ratings: Ratings, tmp_path: Path) -> Path:
    path = tmp_path / "ratings.parquet"
    ratings.to_frame().sample(fraction=1.0, shuffle=True, seed=1).write_parquet(path)
    return path


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of 300 of the 3,000 ratings."""
    monkeypatch.setattr("tastemap.data.chunks.CHUNK_ROWS", 300)
    monkeypatch.setattr("tastemap.data.memmap.CHUNK_ROWS", 300)
    monkeypatch.setattr("tastemap.data.readers.prepare.CHUNK_ROWS", 300)


@pytest.fixture
def prepared(parquet: Path, tmp_path: Path, small_chunks: None) -> Ratings:
    return prepare_ratings(parquet, tmp_path / "table")
