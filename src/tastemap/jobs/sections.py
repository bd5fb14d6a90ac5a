"""The sections of a report: text, figures and tables of the library's results."""

from functools import partial
from typing import Any

import polars as pl

from tastemap.data import statistics
from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.data.nouns import item_noun
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Id
from tastemap.evaluation.evaluate import Evaluation, evaluate_ranking
from tastemap.explore.embeddings import cosine_neighbours, embedding_cosine
from tastemap.explore.figures import model as model_plots
from tastemap.explore.figures.calibration import plot_calibration
from tastemap.explore.item_map import describe_map, item_map
from tastemap.explore.overfitting import curve_metric, overfitting_sentence, verdict
from tastemap.explore.report.blocks import Facts, Picture, Questions, Table
from tastemap.explore.report.interactive_map import map_fragment
from tastemap.explore.report.report import Block
from tastemap.jobs.list_sections import certain_blocks
from tastemap.jobs.recommend import described, on_screen
from tastemap.metrics.calibration import Calibration
from tastemap.models.base.recommender import Recommender
from tastemap.models.next_item import NextItem
from tastemap.support.counts import counted, plain
from tastemap.support.titles import spoken, spoken_all

TIME_OVER = "The time of the fit was over after {} of {} iterations."

# Films of the lab, by their titles, which are the same in every release of MovieLens.
STAR_WARS, JEDI = "Star Wars (1977)", "Return of the Jedi (1983)"
SCREAM, TOY_STORY = "Scream (1996)", "Toy Story (1995)"
STAR_TREK = "Star Trek VI: The Undiscovered Country (1991)"


def example_items(ratings: Feedback, titles: tuple[str, ...]) -> list[Id]:
    """Ids of items by title; if the data has no such title, of a popular item instead."""
    popular = statistics.most_popular(ratings, k=min(20, ratings.n_items))["item_id"].to_list()
    items: list[Id] = []
    for number, title in enumerate(titles):
        # No `find`: it would look for the most similar of all titles, to name them in an error.
        named = ratings.items.ids.filter(ratings.items.titles == title).to_list()
        items.append(named[0] if len(named) == 1 else popular[number % len(popular)])
    return items


def _name(data: Feedback, item: Id) -> str:
    """The title of an item; without a title its id, and a noun before an id that is a number."""
    items, row = data.items, data.items.find(item)
    title, id_text = str(items.titles[row]), str(items.ids[row])
    noun = item_noun(data).singular
    return f"{noun} {id_text}" if title == id_text and title.isdecimal() else spoken(title)


def training_blocks(model: Recommender) -> list[Block]:
    """The training curves, and the answers to the lab's two questions where they make sense."""
    history = model.history_
    metric = curve_metric(history) or "loss"
    is_sampled = is_sampler(model)
    name = "Loss" if metric == "loss" else metric.upper()
    step = "draw" if is_sampled else "epoch"
    rated = "training ratings"
    if f"validation_{metric}" in history.columns:
        rated = "training and the validation ratings"
    picture = Picture(
        model_plots.plot_history(history, metric, is_sampled=is_sampled),
        f"{name} on the {rated} after each {step}.",
    )
    stop = [] if model.stopped_ is None else [TIME_OVER.format(*model.stopped_)]
    if is_sampled:
        return [
            picture,
            *stop,
            "Each point is a draw from all sets of factors that fit the ratings. While the curve"
            " falls, more iterations help; once it keeps its level, more draws make the average of"
            " their predictions better. There is no epoch to stop at.",
        ]
    questions = [("Does the model overfit?", overfitting_sentence(history, metric))]
    if verdict(history, metric).kind not in ("improving", "level"):
        questions.append(("What prevents overfitting?", _prevention(model)))
    return [picture, *stop, Questions(questions)]


def is_sampler(model: Recommender) -> bool:
    """Whether a model is learnt by drawing from a distribution, not by epochs."""
    return "n_draws" in _options(model)


def _options(model: Recommender) -> dict[str, Any]:
    """The options that a model was learnt with, which a loaded model of factors no longer has."""
    return (model.recipe_ or {}).get("parameters") or model.get_params()


def _prevention(model: Recommender) -> str:
    """What a person can do about overfitting, with the options that this model has."""
    options = _options(model)
    advice = {
        "n_epochs": "stop earlier (`n_epochs`)",
        "reg": "penalise large weights (`reg`)",
        "n_factors": "use shorter embeddings (`n_factors`)",
    }
    if "network_options" not in options:
        parts = [*(text for name, text in advice.items() if name in options), "gather more ratings"]
        text = "; ".join(parts)
        return f"{text[0].upper()}{text[1:]}."
    return (
        "Stop at the epoch with the least validation loss; penalise large weights; use shorter"
        " embeddings; drop units at random in training; or gather more ratings. The models"
        " biased-dot, deep and ordinal do some of these."
    )


def metrics_blocks(metrics: dict[str, Any]) -> list[Block]:
    """The test scores saved with a model beside those of the baseline, and its calibration."""
    numbers = {name: value for name, value in metrics.items() if isinstance(value, int | float)}
    rows = [
        {
            "score": name.replace("_", " "),
            "this model": plain(value) if name.startswith("test_users") else f"{value:.4f}",
            "baseline": f"{baseline:.4f}"
            if (baseline := numbers.get(f"baseline_{name}")) is not None
            else "",
        }
        for name, value in numbers.items()
        if not name.startswith("baseline_")
    ]
    frame = pl.DataFrame(rows)
    if frame.width and (frame["baseline"] == "").all():
        frame = frame.drop("baseline")
    blocks: list[Block] = [Table(frame, "Scores on what the model had not seen")]
    if "calibration" in metrics:
        blocks.append(calibration_picture(**metrics["calibration"]))
    return blocks


def calibration_picture(reliability: Any, coverage: Any) -> Picture:
    """The figure of calibration; the arguments are frames, or columns by name."""
    parts = pl.DataFrame(reliability)
    left = (
        "for each level of the scale, the share of test ratings that were that level against the"
        " probability given to it"
        if "level" in parts.columns
        else "the share of test ratings in each tenth of the distribution that they were given"
    )
    alt = f"Left, {left}; right, the share inside intervals."
    return Picture(plot_calibration(parts, pl.DataFrame(coverage)), alt)


def calibration_sentence(calibration: Calibration) -> str:
    """What calibration means on this scale, and how far off the model is."""
    if calibration.has_levels:
        return (
            "The model gives each level of the scale a probability. If it keeps its word, of all"
            " statements made with 30 % as many come true, and intervals hold what they promise:"
            " the fewest neighbouring levels with at least 50, 80 or 95 %, and so mostly more."
            f" Mean distance from that: {calibration.error:.3f} (calibration error); log-loss"
            f" {calibration.log_loss:.3f}."
        )
    return (
        "The model gives each rating a distribution. If it keeps its word, a tenth of the ratings"
        " lie in each tenth of theirs, and intervals hold what they promise. Mean distance of the"
        f" shares up to each tenth from that: {calibration.error:.3f} (calibration error)."
    )


def evaluation_blocks(evaluation: Evaluation, test: Ratings) -> list[Block]:
    """Errors of model and baseline, predicted against true ratings, errors by bands."""
    true, predicted = test.rating, evaluation.predicted
    blocks: list[Block] = [
        Table(
            evaluation.overall.drop("n"), f"Errors on {counted(len(test), 'test rating')}", digits=4
        ),
        *evaluation.notes,
        Picture(
            model_plots.plot_predictions(true, predicted),
            "Predicted against true ratings, each pair a faint dot.",
        ),
        Picture(
            model_plots.plot_predictions_by_rating(true, predicted, test.scale),
            "Distribution of the predictions for each true rating.",
        ),
        Picture(
            model_plots.plot_error_bands(evaluation.bands),
            "Mean absolute error by the popularity of the item and the activity of the user,"
            " beside the baseline's.",
        ),
    ]
    calibration = evaluation.calibration
    if calibration is not None:
        picture = calibration_picture(calibration.reliability, calibration.coverage)
        blocks += [calibration_sentence(calibration), picture]
    return blocks


def similarity_table(model: Any, pairs: list[tuple[Id, Id]]) -> pl.DataFrame:
    """Cosine similarity of pairs of items: ``item, other, similarity``."""
    rows = [
        {
            "item": _name(model.fitted_data, item),
            "other": _name(model.fitted_data, other),
            "similarity": embedding_cosine(model, item, other),
        }
        for item, other in pairs
    ]
    return pl.DataFrame(rows)


def embedding_blocks(model: Any) -> list[Block]:
    """The shapes of the embeddings, one of them in numbers, and the lab's similarities."""
    data = model.fitted_data
    star_wars, jedi, scream, toy_story = example_items(data, (STAR_WARS, JEDI, SCREAM, TOY_STORY))
    pairs = [(star_wars, jedi), (jedi, scream), (jedi, toy_story), (jedi, jedi)]
    row = data.items.find(jedi)
    vector = model.item_factors[row]
    shown = ", ".join(f"{value:.3f}" for value in vector[:8]) + " …" * (len(vector) > 8)
    return [
        Facts(
            [
                ("user embeddings", " × ".join(map(str, model.user_factors.shape))),
                ("item embeddings", " × ".join(map(str, model.item_factors.shape))),
            ]
        ),
        f"The embedding of {_name(data, jedi)} is {shown}: {counted(len(vector), 'number')},"
        " none of which means anything by itself. What means something is the angle between two"
        " embeddings, whose cosine is the similarity of two items.",
        Table(similarity_table(model, pairs), "Cosine similarity of two items"),
    ]


def neighbour_blocks(model: Any, *, by_cosine: bool = False) -> list[Block]:
    """The neighbours of the lab's two films, users similar to a user, users who like a film.

    Of a model that compares items; where it compares no users, without these. The neighbours of
    `NextItem` are what people go on to.

    Args:
        model: The model.
        by_cosine: Neighbours by the cosine of embeddings alone, as the lab has them, and not by
            the model's similarity.
    """
    data = model.fitted_data
    star_wars, star_trek = example_items(data, (STAR_WARS, STAR_TREK))
    name = {item: _name(data, item) for item in (star_wars, star_trek)}
    k, few = min(10, data.n_items - 1), min(5, data.n_items - 1, data.n_users - 1)
    user = data.users.ids[min(4, data.n_users - 1)]
    raters = len(data.by_item[data.items.find(star_wars)])
    goes_on = isinstance(model, NextItem)
    nearest = "What people go on to after" if goes_on else "Most similar to"
    similar = partial(cosine_neighbours, model) if by_cosine else model.similar_items
    blocks: list[Block] = [
        Table(similar(item, k), f"{nearest} {title}") for item, title in name.items()
    ]
    if not goes_on:
        dissimilar = partial(similar, least=True) if by_cosine else model.dissimilar_items
        least = dissimilar(star_wars, few)
        blocks.append(Table(least, f"Least similar to {name[star_wars]}"))
    if few and model.capabilities.similar_users:
        blocks.append(Table(model.similar_users(user, few), f"Users most similar to user {user}"))
    if data.n_users - raters >= few > 0:
        caption = f"Users who have not rated {name[star_wars]} and would like it most"
        if isinstance(data, Interactions):
            caption = f"Users without {name[star_wars]} who would like it most"
        interested = _as_shown(model, model.interested_users(star_wars, few))
        blocks.append(Table(interested, caption))
    return blocks


def _as_shown(model: Recommender, answer: pl.DataFrame) -> pl.DataFrame:
    """An answer without the column of predicted ratings, where the model has none."""
    return answer if model.predicts_ratings else answer.drop("predicted_rating")


def likes_blocks(explicit: Any, implicit: Any, test: Ratings) -> list[Block]:
    """Neighbours by a model of ratings and by a model of likes, side by side, and their lists.

    Args:
        explicit: A model with factors, fitted on the ratings.
        implicit: A model with factors, fitted on the likes among the ratings.
        test: Ratings that neither model has seen, to score the lists.
    """
    items = explicit.ratings_.items
    (star_wars,) = example_items(explicit.ratings_, (STAR_WARS,))
    k = min(10, len(items) - 1)
    columns = [pl.Series("rank", range(1, k + 1))]
    for name, model in (("ratings", explicit), ("likes", implicit)):
        near = cosine_neighbours(model, star_wars, k)
        names = pl.Series(f"by {name}", spoken_all(near["title"]))
        columns += [names, near["similarity"].alias(f"cosine, {name}")]
    ndcg = [
        evaluate_ranking(model, test, min(10, len(items))).row(
            by_predicate=pl.col("metric") == "ndcg"
        )
        for model in (explicit, implicit)
    ]
    return [
        "The lab closes by asking for better representations. Who rates a film at all, and likes"
        " it, says more of what it is like than the rating's height. Trained on the likes alone,"
        " to pick what a person likes from what others like, two towers put films together that"
        " the same people like.",
        Table(pl.DataFrame(columns), f"Most similar to {_name(explicit.ratings_, star_wars)}"),
        f"The ten films that each puts first for a user, of all unseen ones, have an NDCG of"
        f" {ndcg[0][2]:.3f} by ratings and {ndcg[1][2]:.3f} by likes on the test ratings.",
    ]


def map_blocks(model: Any) -> list[Block]:
    """The interactive map, and how reliable it is."""
    frame, data = item_map(model), model.fitted_data
    columns = data.items.frame.columns
    colours = ["popularity", *(["average rating"] if isinstance(data, Ratings) else [])]
    facts = (("year", "year"), ("genre", "genres"))
    colours += [name for name, column in facts if column in columns]
    *others, last = colours
    by = f"colour by {', '.join(others)} or {last}; " if others else ""
    items = item_noun(data).plural.capitalize()
    return [
        f"{items} with similar factors lie close together. Point at one to see what it is;"
        f" {by}search to find a title.",
        map_fragment(frame, data),
        describe_map(frame, item_noun(data)),
    ]


def recommendation_blocks(model: Recommender) -> list[Block]:
    """Lists for a user of the data and, where the model folds in, for a new user.

    They are by what is certain where the model can tell.
    """
    data, by = model.fitted_data, "cautious" if "cautious" in model.orders else "expected"
    blocks = list_of_a_user(model, by=by)
    loved = [*dict.fromkeys(example_items(data, (STAR_WARS, JEDI)))]
    if model.folds_in and data.n_items > len(loved):
        names = " and ".join(_name(data, item) for item in loved)
        ratings: Any = loved
        caption = f"For a new person with {names}"
        if isinstance(data, Ratings):
            ratings = dict.fromkeys(loved, data.scale.highest)
            caption = f"For a new person who gives {plain(data.scale.highest)} to {names}"
        answer = model.recommend(ratings=ratings, k=min(10, data.n_items - len(loved)), by=by)
        blocks.append(_list_table(model, answer, caption, by))
    return blocks


def list_of_a_user(
    model: Recommender, rated: Ratings | None = None, by: str = "expected"
) -> list[Block]:
    """The list of a user of the data; nothing if they have rated everything.

    Args:
        model: A fitted model.
        rated: All ratings of its users, if the model was fitted on a part of them; their items
            are left out.
        by: The order of the list.
    """
    data = model.fitted_data
    user = data.users.ids[min(4, data.n_users - 1)]
    seen = (rated or data).items_of(user)["item_id"].unique(maintain_order=True)
    if not (k := min(10, data.n_items - len(seen))):
        return []
    answer = model.recommend(user, k=k, exclude=seen, by=by)
    done = "have rated" if isinstance(data, Ratings) else "have already"
    caption = f"For user {user}, without what they {done}"
    return [
        _list_table(model, answer, caption, by),
        *(certain_blocks(model, user, seen, answer) if by == "expected" else []),
    ]


def _list_table(model: Recommender, answer: pl.DataFrame, caption: str, by: str) -> Table:
    """A list as a table, in the columns that the terminal has."""
    shown = on_screen(model.fitted_data, described(model.fitted_data, answer), by)
    words = {"cautious": ": the best by what it is at least, with 90 % certainty"}
    return Table(shown, caption + words.get(by, ""), digits=2)
