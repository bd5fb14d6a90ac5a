"""Ask a saved model: predictions, lists, neighbours."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tastemap.cli.arguments import (
    Conf,
    Engine,
    Json,
    K,
    Master,
    Model,
    Out,
    Rated,
    is_spark,
    load_saved,
    noting,
    output,
    parse_bytes,
    parse_new_user,
)
from tastemap.errors import ArgumentError

if TYPE_CHECKING:
    from tastemap.terminal import Output


def predict(
    model: Model,
    user: Annotated[str | None, typer.Argument(help="A user id.")] = None,
    items: Annotated[list[str] | None, typer.Argument(help="Item ids or titles.")] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="Instead: a file with columns user_id, item_id.")
    ] = None,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Predict ratings of items by a user, or of many pairs."""
    from tastemap.jobs.recommend import predicted_pairs

    frame = predicted_pairs(load_saved(model), user, items or [], pairs)
    output(as_json, out).show(frame, "Predicted ratings")


def recommend(
    model: Model,
    user: Annotated[str | None, typer.Argument(help="A user id; or --rate, or --all.")] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="For every user of the data; with -o or --json.")
    ] = False,
    rate: Rated = None,
    like: Annotated[
        list[str] | None,
        typer.Option(help="Without ratings: an item that a new person chose; may be repeated."),
    ] = None,
    ratings: Annotated[
        Path | None,
        typer.Option(
            help="A new person's file: title or item_id, rating; an export of Letterboxd, Trakt, …"
        ),
    ] = None,
    after: Annotated[
        list[str] | None,
        typer.Option("--after", help="An item that a new person had, oldest first; repeated."),
    ] = None,
    k: K = None,
    where: Annotated[
        str | None, typer.Option(help="\"genres contains 'Horror' and year >= 1990\"")
    ] = None,
    novelty: Annotated[
        float, typer.Option(help="From -1 (popular) over 0 to 1 (little known).")
    ] = 0.0,
    by: Annotated[
        str | None,
        typer.Option(
            help="The order: cautious (what is certain; the default where a model has it), expected"
            " (else; the one of Spark), curious, relative (more for one than for all),"
            " likely-and-liked."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of --by curious: each gives another list.")] = 0,
    why: Annotated[
        bool, typer.Option("--why", help="Say of each item which rating is the reason for it.")
    ] = False,
    seen: Annotated[
        list[str] | None,
        typer.Option(help="An item that a new person has seen without a rating; repeated."),
    ] = None,
    include_seen: Annotated[
        bool, typer.Option("--include-seen", help="Also what was rated or seen.")
    ] = False,
    new: Annotated[
        bool, typer.Option("--new", help="Also what nobody has rated, by what is known of it.")
    ] = False,
    diversity: Annotated[
        float, typer.Option(help="From 0 (the best) to 1 (each unlike the others).")
    ] = 0.0,
    calibrated: Annotated[
        list[str] | None,
        typer.Option(help="A column, genres or genres=0.5, whose shares are those of the taste."),
    ] = None,
    at_most: Annotated[
        list[str] | None,
        typer.Option(help="director=2: at most so many with the same value; may be repeated."),
    ] = None,
    gap: Annotated[
        float | None,
        typer.Option(min=0.0, help="Seconds since the latest item, for models that look at time."),
    ] = None,
    memory: Annotated[
        str, typer.Option(help="With --all and -o: for scores and lists, beside the model.")
    ] = "1GiB",
    engine: Engine = "local",
    master: Master = "local[*]",
    conf: Conf = None,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Recommend items to a user of the data, to everyone, or to a new person from their ratings.

    With --all and -o, a call that is stopped goes on from there when it is given again.
    """
    from tastemap.jobs import recommend as job

    choice: dict[str, Any] = {"k": k, "where": where, "exclude_seen": not include_seen, "new": new}
    choice |= {"novelty": novelty} | job.wishes(diversity, calibrated, at_most)
    order = {"by": by, "seed": seed}
    single = {"user": user, "ratings": parse_new_user(rate, ratings, like)}
    single |= {"after": after, "seen": seen}
    if everyone:
        words: dict[str, Any] = {"USER": user, "--rate": rate, "--ratings": ratings, "--like": like}
        words |= {"--after": after, "--seen": seen, "--gap": gap is not None, "--why": why}
        job.check_for_all(words, has_place=as_json or out is not None)
    file = out if everyone and not as_json else None
    if is_spark(engine):
        job.recommend_on_spark(model, file, choice | ({"by": by} if by else {}), master, conf or [])
    elif file is not None and job.in_parts(file):
        job.write_for_all(load_saved(model), file, parse_bytes(memory), choice | order)
    else:
        choice |= order | ({} if gap is None else {"gap": gap})
        _show_lists(
            load_saved(model), None if everyone else single, choice, output(as_json, out), why
        )


def _show_lists(
    model: Any, single: dict[str, Any] | None, choice: dict[str, Any], out: "Output", why: bool
) -> None:
    """Show the list of a single user, or the lists of all."""
    from tastemap.jobs import recommend as job
    from tastemap.serve.answers.reasons import reasons_in_words

    reasons = reasons_in_words if why else None
    (frame, said), notes = noting(lambda: job.recommended(model, single, choice, reasons))
    by = job.with_order(model, choice)["by"]
    shown = frame if single is None else job.on_screen(model.fitted_data, frame, by)
    out.show(frame, job.title_of(by), [*said, *notes], shown=shown, below="reason")


def similar(
    model: Model,
    item: Annotated[
        str | None, typer.Argument(help="An item id or title; with --users, a user id; or --all.")
    ] = None,
    other: Annotated[str | None, typer.Argument(help="A second item to compare it with.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="The neighbours of every item; with -o or --json.")
    ] = False,
    approximate: Annotated[
        bool | None,
        typer.Option(
            "--approximate/--exact",
            help="With --all: by an index, or all with all. An index from a million items on.",
        ),
    ] = None,
    k: K = None,
    users: Annotated[bool, typer.Option("--users", help="Similar users instead.")] = False,
    opposite: Annotated[bool, typer.Option("--dissimilar", help="The least similar.")] = False,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Find the most similar items, or say how similar two are."""
    from tastemap.jobs import recommend as job

    shown = None
    if everything != (item is None) or (everything and (users or opposite)):
        expected = "an item or a user, or --all alone"
        raise ArgumentError("ITEM", expected=expected, received="not one")
    if item is None:
        job.check_place(has_place=as_json or out is not None)
        frame, title, notes = job.all_neighbours(load_saved(model), k or 10, approximate)
    else:
        loaded = load_saved(model)
        frame, title, notes = job.neighbours(
            loaded, item, other, k=k, users=users, opposite=opposite
        )
        if "popularity" in frame.columns:
            shown = job.on_screen(loaded.fitted_data, frame)
    output(as_json, out).show(frame, title, notes, shown=shown)
