"""Draw the map of a saved model, and write its report."""

from pathlib import Path
from typing import Any

from tastemap.data.nouns import item_noun
from tastemap.errors import ArgumentError
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import load_model


def write_map(path: Path, out: Path | None, colour: str) -> dict[str, str]:
    """Draw the map of a saved model, save it with the model, and write it as page or picture.

    Args:
        path: The saved model.
        out: The page or picture; None to write none.
        colour: The first colour of the page, or the colour of the picture.

    Returns:
        Where the map is, and how true it is.
    """
    from tastemap.explore.figures.ratings import plot_item_map
    from tastemap.explore.item_map import describe_map, item_map, need_colour
    from tastemap.explore.report.interactive_map import interactive_map
    from tastemap.explore.report.page import write_page

    pictures = (".png", ".svg", ".pdf")
    if out is not None and out.suffix not in (".html", *pictures):
        raise ArgumentError("-o", expected=f".html or {', '.join(pictures)}", received=str(out))
    model = load_model(path)
    need_colour(colour, model.fitted_data)
    is_new = model.item_map_ is None
    frame = item_map(model)
    if is_new:
        model.save(path)
    if out is None:
        written = "none; -o map.html writes a page, -o map.png a picture"
    else:
        written = str(out)
        if out.suffix in pictures:
            plot_item_map(frame, model.fitted_data, colour).savefig(out, dpi=150)
        else:
            write_page(out, interactive_map(frame, model.fitted_data, colour))
    place = f"with the model in {path}, for serve and export"
    return {
        "page": written,
        "map": place,
        "how true it is": describe_map(frame, item_noun(model.fitted_data)),
    }


def write_report(model: Recommender, out: Path) -> None:
    """Write the report of a model: its data, its training, its neighbours, its map."""
    from tastemap.explore.report.report import Report
    from tastemap.jobs import describe, sections
    from tastemap.jobs.cover_sections import cover_blocks
    from tastemap.jobs.summary import headline, summary

    data: Any = model.fitted_data
    can = model.capabilities
    article = "an" if model.learnt_by_[0] in "AEIO" else "a"
    report = Report(f"Report on {article} {model.learnt_by_}", f"fitted on {data.source.name}")
    figures = headline(model.metrics_, model.learnt_by_)
    figures += [(data.noun, len(data)), ("users", data.n_users)][: 3 - len(figures)]
    what = f"{article} {model.learnt_by_}, saved with what it has learnt"
    report.summary = summary(data, what, figures, model.seed_)
    report.section(f"The {data.noun}", *describe.data_blocks(data))
    if len(model.history_):
        report.section("Training", *sections.training_blocks(model))
    if model.metrics_:
        title = "Test errors" if model.predicts_ratings else "Test of the lists"
        report.section(title, *sections.metrics_blocks(model.metrics_))
    if can.map:
        report.section("Embeddings", *sections.embedding_blocks(model))
    if can.similar_items and data.n_items > 1:
        report.section("Neighbours", *sections.neighbour_blocks(model))
    if can.map:
        items = item_noun(model.fitted_data).plural
        report.section(f"Map of the {items}", *sections.map_blocks(model))
    report.section("Recommendations", *sections.recommendation_blocks(model), *cover_blocks(model))
    report.write(out)
