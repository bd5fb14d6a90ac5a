"""Sections of the report."""

import re

import numpy as np
import polars as pl
import pytest

import reference
from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.data.statistics import most_popular
from tastemap.data.vocabulary import Vocabulary
from tastemap.evaluation.evaluate import evaluate
from tastemap.explore.embeddings import cosine_neighbours
from tastemap.explore.report.blocks import Picture, Table
from tastemap.jobs.sections import (
    evaluation_blocks,
    example_items,
    likes_blocks,
    metrics_blocks,
    neighbour_blocks,
    recommendation_blocks,
    training_blocks,
)
from tastemap.models.registry import make_model


def test_neighbours_by_ratings_and_by_likes_stand_side_by_side(split: Split) -> None:
    explicit, implicit = (
        make_model(name, **options).fit(split.train, progress=False)
        for name, options in (("mf", {}), ("ials", {"n_factors": 8}))
    )
    _, table, sentence = likes_blocks(explicit, implicit, split.test)
    assert isinstance(table, Table)
    # The most popular item stands in for Star Wars.
    assert table.caption == "Most similar to Comedy 1 (1960)"
    for name, model in (("ratings", explicit), ("likes", implicit)):
        row = table.frame.row(2, named=True)
        other = split.train.items.find(row[f"by {name}"])
        expected = reference.cosine(model.item_factors[0], model.item_factors[other])
        assert row[f"cosine, {name}"] == pytest.approx(expected, abs=1e-6)
        assert table.frame[f"cosine, {name}"].is_sorted(descending=True)
    numbers = [float(number) for number in re.findall(r"0\.\d{3}", str(sentence))]
    assert len(numbers) == 2
    assert 0 < numbers[0] < numbers[1] < 1


def test_the_lab_has_the_cosines_of_embeddings(ratings: Ratings) -> None:
    model = make_model("mf", n_factors=4, n_epochs=5).fit(ratings, progress=False)
    lab, model_own = (neighbour_blocks(model, by_cosine=lab) for lab in (True, False))
    for place, least in ((0, False), (2, True)):
        k = len(lab[place].frame)
        assert lab[place].frame.equals(cosine_neighbours(model, 1, k, least=least))
    assert model_own[0].frame.equals(model.similar_items(1, 10))


@pytest.mark.parametrize("name", ["item-knn", "next-item"])
def test_neither_stars_nor_predicted_ratings_where_there_are_no_ratings(
    name: str, ratings: Ratings
) -> None:
    model = make_model(name).fit(ratings.likes(), progress=False)
    for_user, for_new = recommendation_blocks(model)
    assert for_user.caption == "For user 5, without what they have already"
    seen = ratings.likes().items_of(5)["title"].to_list()
    assert not {*for_user.frame["title"]} & {title.partition(" (")[0] for title in seen}
    assert for_new.caption.startswith("For a new person with ")
    neighbours = neighbour_blocks(model)
    nearest = {"item-knn": "Most similar to ", "next-item": "What people go on to after "}
    assert neighbours[0].caption.startswith(nearest[name])
    assert neighbours[-1].caption.endswith("who would like it most")
    for table in (for_user, for_new, *neighbours):
        assert "rating" not in " ".join([table.caption, *table.frame.columns])


def test_saved_scores_count_users_in_whole_numbers() -> None:
    (scores,) = metrics_blocks({"test_ndcg": 0.123456, "test_users": 938.0})
    assert scores.frame.rows() == [("test ndcg", "0.1235"), ("test users", "938")]
    (scores,) = metrics_blocks({"test_mae": 0.7, "baseline_test_mae": 0.75})
    assert scores.frame.rows() == [("test mae", "0.7000", "0.7500")]


def test_advice_is_about_the_model_that_was_trained(split: Split) -> None:
    sampler = make_model("bayes", n_factors=2, n_iterations=10, n_draws=4)
    _, sentence = training_blocks(sampler.fit(split.train, progress=False))
    assert "no epoch to stop at" in str(sentence)
    # So many factors with no penalty overfit 2,400 ratings.
    options = {"n_factors": 40, "n_epochs": 40, "reg": 0.0, "patience": None}
    model = make_model("mf", **options).fit(split.train, validation=split.test, progress=False)
    _, questions = training_blocks(model)
    (_, answer) = questions.pairs[1]
    assert answer.startswith("Stop earlier (`n_epochs`); penalise large weights (`reg`)")
    assert "deep" not in answer
    model.stopped_ = (7, 40)
    assert "over after 7 of 40 iterations" in training_blocks(model)[1]


def test_a_continuous_scale_has_its_calibration() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "user_id": rng.integers(0, 30, 600),
            "item_id": rng.integers(0, 30, 600),
            "rating": rng.normal(size=600),
        }
    ).unique(["user_id", "item_id"], maintain_order=True)
    data = Ratings.from_frame(frame)
    train, test = data.take(np.arange(300)), data.take(np.arange(300, len(data)))
    model = make_model("bayes", n_factors=2, n_iterations=20, n_draws=8)
    evaluation = evaluate(model.fit(train, progress=False), test)
    assert "Test ratings inside the central intervals" in evaluation.tables
    *_, sentence, picture = evaluation_blocks(evaluation, test)
    assert "a tenth of the ratings" in str(sentence)
    assert "each tenth of the distribution" in picture.alt
    record = evaluation.record
    assert "test_log_loss" not in record
    assert metrics_blocks(record)[1].alt == picture.alt


def test_a_model_with_probabilities_has_its_calibration(split: Split) -> None:
    model = make_model("bayes", n_factors=2, n_iterations=10, n_draws=4)
    model.fit(split.train, progress=False)
    evaluation = evaluate(model, split.test)
    calibration = evaluation.calibration
    *_, sentence, picture = evaluation_blocks(evaluation, split.test)
    assert f"{calibration.error:.3f} (calibration error)" in str(sentence)
    assert isinstance(picture, Picture)
    # A model that was saved with what was measured shows the same.
    scores, again = metrics_blocks(evaluation.record)
    assert again.alt == picture.alt
    row = scores.frame.row(by_predicate=pl.col("score") == "test calibration error", named=True)
    assert row["this model"] == f"{calibration.error:.4f}"
    plain = evaluate(make_model("bias").fit(split.train), split.test)
    assert len(evaluation_blocks(plain, split.test)) == 4
    assert len(metrics_blocks(plain.record)) == 1


def test_examples_have_the_titles_asked_for_or_are_popular(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 300,000 titles, `find` took seconds to name those that are most similar."""
    monkeypatch.setattr(Vocabulary, "find", lambda *_: pytest.fail("it compares all titles"))
    title, popular = ratings.items.titles[3], most_popular(ratings, k=3)["item_id"].to_list()
    named = ratings.items.ids[3]
    assert example_items(ratings, (title, "no title", "none")) == [named, *popular[1:]]
