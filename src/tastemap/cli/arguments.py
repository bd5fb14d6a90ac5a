"""From the words of a call to arguments of the library: data, models, options, ratings."""

import contextlib
import inspect
import json
import math
import re
import shlex
import warnings
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias

import typer

from tastemap.errors import ArgumentError, DataError, TastemapWarning
from tastemap.support.addresses import refuse_address
from tastemap.support.deadline import deadline
from tastemap.support.numerals import number

if TYPE_CHECKING:  # the modules of these load Polars, which the help does without
    from tastemap.data.interactions import Interactions
    from tastemap.data.ratings import Ratings as Ratings  # noqa: PLC0414 - exported to commands
    from tastemap.terminal import Output

    Table: TypeAlias = Ratings | Interactions
else:
    Ratings = Table = Any

Data = Annotated[
    str, typer.Argument(help="A ratings file, a MovieLens folder or zip, or a name: ml-100k …")
]
Model = Annotated[Path, typer.Argument(help="A saved model, the folder that fit or lab wrote.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Out = Annotated[
    Path | None, typer.Option("-o", "--out", help="Write the table to .csv, .tsv, .parquet, .json.")
]
Seed = Annotated[int, typer.Option(help="Same seed, same result.")]
K = Annotated[int | None, typer.Option("-k", help="How many; ten if not said.")]
Rated = Annotated[
    list[str] | None,
    typer.Option("--rate", help='A rating of a new person, "Star Wars (1977)=5"; may be repeated.'),
]
Engine = Annotated[str, typer.Option(help="local, or spark for what is too large for one machine.")]
Master = Annotated[
    str, typer.Option(help="Spark's cluster: spark://HOST:7077, yarn, k8s://…, local[4].")
]
Conf = Annotated[
    list[str] | None, typer.Option(help="A setting of Spark's, KEY=VALUE; may be repeated.")
]
SplitName = Annotated[str, typer.Option(help="random, per-user, time, forecast, last, u1 … u5.")]
TestData = Annotated[
    str | None,
    typer.Option("--test", help="A table of test ratings, read as DATA is, in place of a split."),
]
TestSize = Annotated[float, typer.Option(help="Share of the test ratings.")]
Lists = Annotated[bool, typer.Option("--lists", help="Score the recommended lists too.")]
UserColumn = Annotated[str | None, typer.Option(help="Column of the users.")]
ItemColumn = Annotated[str | None, typer.Option(help="Column of the items.")]
RatingColumn = Annotated[str | None, typer.Option(help="Column of the ratings.")]
TimestampColumn = Annotated[
    str | None, typer.Option(help="Column of the times; none to read no times.")
]
Unrated = Annotated[
    list[str] | None,
    typer.Option(
        help="A rating that says not rated, 0 say; may be repeated; none to keep all ratings."
    ),
]
Items = Annotated[
    Path | None, typer.Option(help="A table that describes the items: id, title, genres, price …")
]
Users = Annotated[
    Path | None, typer.Option(help="A table that describes the users: id, age, town …")
]
Seen = Annotated[
    Path | None,
    typer.Option(help="What was seen without a rating: a watch history; none to keep nothing."),
]
Noun = Annotated[str | None, typer.Option(help="What an item is called: book, joke …")]
# The options of `read_ratings`, which every command that reads ratings has.
READING = {
    "user": UserColumn,
    "item": ItemColumn,
    "rating": RatingColumn,
    "timestamp": TimestampColumn,
    "delimiter": Annotated[str | None, typer.Option(help='Between columns: ",", "::", "\\t" …')],
    "encoding": Annotated[str | None, typer.Option(help="utf-8, latin-1 …")],
    "has_header": Annotated[
        bool | None, typer.Option("--header/--no-header", help="Whether line 1 names the columns.")
    ],
    "layout": Annotated[
        str | None, typer.Option(help="long: a row is a rating; wide: a matrix, a row a user.")
    ],
    "duplicates": Annotated[
        str, typer.Option(help="Pairs rated twice: last (by time), mean, first or error.")
    ],
    "on_bad_row": Annotated[str, typer.Option(help="A row that cannot be read: error or skip.")],
    "unrated": Unrated,
    "items": Items,
    "users": Users,
    "noun": Noun,
    "seen": Seen,
}
# The options of `read_feedback` beside these, which every command has that takes interactions.
WEIGHING = {
    "weight": Annotated[
        str | None, typer.Option(help="Without ratings: column of counts, or of likes.")
    ],
    "event": Annotated[
        str | None, typer.Option(help="Without ratings: column of the kinds of events.")
    ],
    "event_weights": Annotated[
        str | None, typer.Option(help="Weight of each kind of event: view=1,cart=3.")
    ],
    "repeats": Annotated[
        str | None,
        typer.Option(help="Pairs that come again: sum of weights, count, last, or keep."),
    ],
}
# Of these, what is said of items and users: those of test ratings are the same.
BESIDE = ("items", "users", "noun", "seen")

# The values of these options if a call leaves them out.
READING_DEFAULTS = dict.fromkeys((*READING, *WEIGHING)) | {
    "duplicates": "last",
    "on_bad_row": "error",
}


class Unread(NamedTuple):
    """Ratings that Spark reads: their path or address, and the options to read them with."""

    data: str
    options: dict[str, Any]


def reads_ratings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes ``ratings`` the argument and the options to read them with."""
    return _reading(command, READING)


def reads_feedback(command: Callable[..., None]) -> Callable[..., None]:
    """As `reads_ratings`, for a command whose ``ratings`` may be interactions as well."""
    return _reading(command, READING | WEIGHING)


def _reading(command: Callable[..., None], words: dict[str, Any]) -> Callable[..., None]:
    """A command with the argument and the options to read a table.

    A table of test ratings, ``test``, is read with the same options. The time of the command begins
    before the reading.
    """
    parameters = inspect.signature(command).parameters.values()
    keyword = inspect.Parameter.KEYWORD_ONLY
    reading = [
        inspect.Parameter(name, keyword, default=READING_DEFAULTS[name], annotation=annotation)
        for name, annotation in words.items()
    ]

    @wraps(command)
    def with_ratings(data: str, **options: Any) -> None:
        how = {name: options.pop(name) for name in words}
        how["unrated"] = parse_unrated(how["unrated"])
        how |= parse_weights(how.get("event_weights"))
        on_spark = is_spark(options.get("engine", "local"))
        if on_spark:
            refuse_tables(how)
        with deadline():
            if options.get("test") is not None:
                of_test = {name: value for name, value in how.items() if name not in BESIDE}
                options["test"] = read_data(options["test"], of_test)
            command(ratings=Unread(data, how) if on_spark else read_data(data, how), **options)

    tables = {
        "ratings": inspect.Parameter("data", keyword, annotation=Data),
        "test": inspect.Parameter("test", keyword, default=None, annotation=TestData),
    }
    with_ratings.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [*(tables.get(p.name, p.replace(kind=keyword)) for p in parameters), *reading]
    )
    with_ratings.__annotations__ = {
        p.name: p.annotation
        for p in with_ratings.__signature__.parameters.values()  # type: ignore[attr-defined]
    }
    return with_ratings


def output(as_json: bool, path: Path | None = None) -> "Output":
    """How a command answers."""
    from tastemap.terminal import Output

    return Output(as_json, path)


def is_spark(engine: str) -> bool:
    """Whether the engine is Apache Spark rather than this machine alone."""
    if engine not in ("local", "spark"):
        raise ArgumentError("--engine", expected="local or spark", received=engine)
    return engine == "spark"


def refuse_tables(how: dict[str, Any]) -> None:
    """Refuse what Spark does not read beside the ratings; leave out what is not given."""
    for name in BESIDE:
        if how.pop(name, None) is not None:
            raise ArgumentError(
                f"--{name.replace('_', '-')}",
                expected="the engine local",
                received="spark",
                do="leave it out",
            )


def data_words(ctx: typer.Context) -> str:
    """The words of this call that name the data and its options, to be typed again."""
    words = [shlex.quote(str(ctx.params["data"]))]
    for name in (*READING, *WEIGHING):
        value = ctx.params.get(name)
        if value == READING_DEFAULTS[name]:
            continue
        if name == "has_header":
            words.append("--header" if value else "--no-header")
        elif name == "unrated":
            words += [f"--unrated {shlex.quote(mark)}" for mark in value or ()]
        else:
            words.append(f"--{name.replace('_', '-')} {shlex.quote(str(value))}")
    return " ".join(words)


def read_data(data: str, how: dict[str, Any]) -> Any:
    """Ratings from a file or folder, or the data set of that name.

    Interactions, if the options of these are among ``how`` and the file has no ratings.
    """
    from tastemap import terminal
    from tastemap.data.datasets.fetch import DATASETS, load_dataset
    from tastemap.data.nouns import with_noun
    from tastemap.data.readers.archive import zip_around
    from tastemap.data.readers.feedback import read_feedback
    from tastemap.data.readers.interactions import read_seen
    from tastemap.data.readers.read import read_ratings
    from tastemap.data.readers.side_tables import with_tables

    source = how.pop("source", None)
    beside = {name: how.pop(name, None) for name in BESIDE}
    if source is None and (Path(data).exists() or zip_around(Path(data)) is not None):
        with terminal.download_bar(data, "reading") as progress:
            read: Callable[..., Table] = read_feedback if {*WEIGHING} & {*how} else read_ratings
            return read(data, **how, **beside, progress=progress)
    refuse_address(data)
    if data not in DATASETS:
        raise DataError(
            f"data {data}",
            expected=f"a file or folder, or one of {', '.join(DATASETS)}",
            received="no such file",
        )
    given = [name for name, value in how.items() if value != READING_DEFAULTS[name]]
    if given:
        raise ArgumentError(
            f"--{', --'.join(given)}".replace("has_header", "header").replace("_", "-"),
            expected="a file or folder to read",
            received=f"the data set {data}, which is read as it is published",
            do="leave them out",
        )
    with terminal.download_bar(data) as progress:
        ratings = load_dataset(data, source=source, report=terminal.say, progress=progress)
    if beside["seen"] is not None and str(beside["seen"]) != "none":
        ratings = ratings.with_seen(read_seen(beside["seen"]))
    ratings = with_tables(ratings, beside["items"], beside["users"])
    return ratings if beside["noun"] is None else with_noun(ratings, beside["noun"])


def load_saved(path: Path) -> Any:
    """A saved model."""
    from tastemap.models.registry import load_model

    return load_model(path)


def learnt_or_read(path: str) -> "Table":
    """What a saved model has learnt from, or what is in a file or data set."""
    if (Path(path) / "model.json").is_file():
        table: Table = load_saved(Path(path)).fitted_data
        return table
    return read_data(path, dict.fromkeys(WEIGHING))


def parse_unrated(words: list[str] | None) -> tuple[float, ...] | None:
    """The ratings that say "not rated": none for the word none; None if nothing is said.

    Example:
        >>> parse_unrated(["0", "-1"]), parse_unrated(["none"]), parse_unrated(None)
        ((0.0, -1.0), (), None)
    """
    if not words:
        return None
    if words == ["none"]:
        return ()
    values = [number(word) for word in words]
    for word, value in zip(words, values, strict=True):
        if value is None:
            raise ArgumentError("--unrated", expected="a number, or none alone", received=word)
    return tuple(value for value in values if value is not None)


def parse_weights(words: str | None) -> dict[str, Any]:
    """The weights of kinds of events as an option of the reader, from words ``view=1,cart=3``.

    Example:
        >>> parse_weights("view=1,cart=3"), parse_weights(None)
        ({'event_weights': {'view': 1.0, 'cart': 3.0}}, {})
    """
    if words is None:
        return {}
    weights: dict[str, float] = {}
    for word in words.split(","):
        kind, _, weight = word.rpartition("=")
        if not kind or (value := number(weight)) is None:
            raise ArgumentError("--event-weights", expected="view=1,cart=3", received=word)
        weights[kind.strip()] = value
    return {"event_weights": weights}


def parse_options(pairs: list[str]) -> dict[str, Any]:
    """``name=value`` words as options: a value that is JSON is parsed, others are text."""
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ArgumentError("--set", expected="name=value", received=pair)
        try:
            options[name] = json.loads(value)
        except (ValueError, RecursionError):
            options[name] = value
    return options


def parse_bytes(text: str) -> int:
    """A number of bytes from words such as 512MiB, 1.5GiB, 2GB or 1000000.

    Example:
        >>> parse_bytes("1.5 GiB"), parse_bytes("20kB")
        (1610612736, 20000)
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([kMGT])(i?))?B?", text.strip())
    number, prefix, binary = match.groups() if match else ("inf", None, None)
    n_bytes = float(number) * (1024 if binary else 1000) ** (" kMGT".index(prefix) if prefix else 0)
    if not math.isfinite(n_bytes):
        raise ArgumentError("--memory", expected="a size such as 512MiB or 2GB", received=text)
    return int(n_bytes)


def parse_new_user(rate: list[str] | None, path: Path | None, like: list[str] | None = None) -> Any:
    """A new user's ratings from words ``title=stars``, the path of a file of them, or likes."""
    if path is not None and rate:
        raise ArgumentError("--rate, --ratings", expected="one of the two", received="both")
    if like:
        if rate or path is not None:
            raise ArgumentError("--like, --rate", expected="one of the two", received="both")
        return like
    if path is not None or not rate:
        return path
    ratings = {}
    for word in rate:
        item, _, stars = word.rpartition("=")
        if (rating := number(stars)) is None:
            raise ArgumentError("--rate", expected='"item=rating"', received=word)
        ratings[item] = rating
    return ratings


@contextlib.contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Print each warning of tastemap as one line; hide those of other packages."""

    def write(message: Warning | str, *_: Any, **__: Any) -> None:
        from tastemap.terminal import say

        say(f"note: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", TastemapWarning)
        warnings.showwarning = write
        yield


def noting(call: Callable[[], Any]) -> tuple[Any, list[str]]:
    """The result of a call, and the text of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TastemapWarning)
        result = call()
    return result, [str(warning.message) for warning in caught]
