import io

import numpy as np
import polars as pl
import pytest
from matplotlib.text import Text

from tastemap.data.scale import Scale
from tastemap.errors import ArgumentError
from tastemap.explore.figures import model as model_plots


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text)]


def drawn(figure):
    """The figure, after it has been drawn in full."""
    figure.savefig(io.BytesIO(), format="png")
    return figure


@pytest.fixture
def history() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "epoch": [1, 2, 3, 4, 5],
            "train_loss": [3.0, 0.9, 0.8, 0.7, 0.6],
            "validation_loss": [1.2, 0.95, 0.85, 0.9, 0.97],
        }
    )


@pytest.fixture
def pairs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    true = rng.integers(1, 6, 500).astype(float)
    return true, 0.5 * true + rng.normal(1.5, 0.4, 500)


def test_curves_are_drawn_as_they_are_and_the_best_epoch_is_marked(history):
    ax = drawn(model_plots.plot_history(history)).axes[0]
    curves = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert curves["training"] == history["train_loss"].to_list()
    assert curves["validation"] == history["validation_loss"].to_list()
    (mark,) = [line for line in ax.lines if line.get_markersize() == 11]
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (3, 0.85)


def test_a_first_epoch_far_above_is_cut_and_its_value_written(history):
    figure = drawn(model_plots.plot_history(history))
    assert figure.axes[0].get_ylim()[1] < 1.1
    assert "epoch 1 lies above: 3.00" in texts(figure)


def test_the_figure_is_titled_by_what_the_curves_say(history):
    assert "The model overfits from epoch 4" in texts(model_plots.plot_history(history))
    without = model_plots.plot_history(history.drop("validation_loss"))
    assert "The training loss falls from 3.000 to 0.600" in texts(drawn(without))


def test_each_prediction_is_a_dot_and_the_error_is_the_title(pairs):
    figure = drawn(model_plots.plot_predictions(*pairs))
    (dots,) = figure.axes[0].collections
    np.testing.assert_array_equal(dots.get_offsets(), np.column_stack(pairs))
    error = np.abs(pairs[0] - pairs[1]).mean()
    assert f"Predictions are {error:.2f} off the true rating on average" in texts(figure)


def test_each_true_rating_has_its_violin_and_count(pairs):
    ax = drawn(model_plots.plot_predictions_by_rating(*pairs, Scale(1, 5, 1))).axes[0]
    labels = [label.get_text() for label in ax.get_xticklabels()]
    counts = [int((pairs[0] == level).sum()) for level in range(1, 6)]
    assert labels == [f"{level}\n{n}" for level, n in zip(range(1, 6), counts, strict=True)]


def test_of_many_ratings_some_are_drawn_and_violins_keep_their_shape(pairs, monkeypatch):
    def drawn_parts():
        figure = model_plots.plot_predictions(*pairs)
        violins = model_plots.plot_predictions_by_rating(*pairs, Scale(1, 5, 1)).axes[0]
        (dots,) = figure.axes[0].collections
        bodies = [violin.get_paths()[0].vertices for violin in violins.collections[::2]]
        return figure, len(dots.get_offsets()), bodies

    _, _, whole = drawn_parts()
    monkeypatch.setattr(model_plots, "MAX_DOTS", 200)
    monkeypatch.setattr(model_plots, "MAX_KERNELS", 50)
    figure, n_dots, parts = drawn_parts()
    assert n_dots == 200
    assert any("200 of them drawn" in text for text in texts(figure))
    for body, part in zip(whole, parts, strict=True):
        np.testing.assert_allclose(body, part, atol=0.05)


@pytest.mark.parametrize(
    ("true", "scale", "n"),
    [
        ([1, 1, 5], Scale(1, 5, 1), 5),  # levels that nobody gave
        ([3, 3, 3], Scale(3, 3), 1),  # one value
        (np.linspace(0, 100, 50), Scale(0, 100), 10),  # a continuous scale in ten parts
        (np.arange(0, 100), Scale(0, 100, 1), 10),  # too many levels for a violin each
    ],
)
def test_scales_of_any_kind(true, scale, n):
    predicted = np.full(len(true), 3.0)
    figure = model_plots.plot_predictions_by_rating(true, predicted, scale)
    assert len(drawn(figure).axes[0].get_xticks()) == n


@pytest.mark.parametrize(
    ("lowest", "highest", "n"), [(-10, 10, 5000), (1, 257_948, 5000), (0.5, 5, 30_000_000)]
)
def test_labels_of_violins_do_not_overlap(lowest, highest, n):
    step = 0.5 if highest == 5 else None
    true = np.linspace(lowest, highest, 400)
    if highest > 1000:
        true = 10 ** np.linspace(0, np.log10(highest), 400)
    scale = Scale(lowest, highest, step)
    with pytest.MonkeyPatch.context() as patch:
        # Numbers as large as those of many ratings, without the ratings.
        patch.setattr(
            model_plots,
            "len",
            lambda x: len(x) * n // 400 if len(x) > 12 else len(x),
            raising=False,
        )
        figure = drawn(model_plots.plot_predictions_by_rating(true, true, scale))
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert len(boxes) == 10
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_ranges_of_negative_numbers_are_written_in_words():
    true = np.linspace(-10, 10, 200)
    said = texts(drawn(model_plots.plot_predictions_by_rating(true, 0.5 * true, Scale(-10, 10))))
    title = "Ratings of 8 to 10 are predicted around 4.5, ratings of −10 to −8 around −4.5"
    assert title in [text.replace("\n", " ") for text in said]


def test_numbers_have_the_decimals_of_their_scale():
    true = np.array([100.0, 5000.0, 90_000.0])
    said = texts(drawn(model_plots.plot_predictions(true, true + 300.4)))
    assert "Predictions are 300 off the true rating on average" in said
    said = texts(drawn(model_plots.plot_predictions(true / 1e6, true / 1e6 + 0.0123)))
    assert "Predictions are 0.012 off the true rating on average" in said


def test_draws_of_a_sampler_are_not_said_to_overfit(history):
    said = " ".join(texts(drawn(model_plots.plot_history(history, is_sampled=True))))
    said = said.replace("\n", " ")
    assert "The loss of each draw; predictions are averages over many draws" in said
    assert "overfit" not in said


def test_a_model_that_is_the_baseline_does_not_lose_to_it():
    frame = pl.DataFrame({"group": ["activity"], "band": ["all"], "n": [1], "mae": [0.9]})
    figure = drawn(model_plots.plot_error_bands(frame.with_columns(baseline_mae="mae")))
    assert "The errors are those of the baseline" in texts(figure)
    assert "all\n1 test" in texts(figure)


def test_bands_are_pairs_of_both_errors():
    frame = pl.DataFrame(
        {
            "group": ["popularity", "popularity", "activity"],
            "band": ["1–9", "10+", "all"],
            "n": [10, 2000, 2010],
            "mae": [0.9, 0.7, 0.71],
            "baseline_mae": [0.85, 0.9, 0.9],
        }
    )
    figure = drawn(model_plots.plot_error_bands(frame))
    errors = [
        error
        for ax in figure.axes
        for dots in ax.collections
        if dots.get_label() == "model"
        for error in dots.get_offsets()[:, 0].tolist()
    ]
    assert errors == [0.9, 0.7, 0.71]
    assert "The model beats the baseline in 2 of 3 bands" in texts(figure)


def test_the_leaderboard_is_sorted_by_test_error():
    frame = pl.DataFrame(
        {
            "model": ["bias", "ordinal $5$", "dot"],
            "train_mae": [0.73, 0.65, None],
            "test_mae": [0.75, 0.69, 0.74],
            "fit_seconds": [0.01, 12.0, None],
        }
    )
    figure = drawn(model_plots.plot_leaderboard(frame, "dot"))
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["ordinal $5$", "dot", "bias"]
    shown = texts(figure)
    assert "“dot”, chosen on validation ratings, has a test error of 0.740" in shown
    assert {"12.0 s", "< 0.1 s"} <= set(shown)


def test_a_leaderboard_need_not_mark_a_model():
    frame = pl.DataFrame(
        {"model": ["a"], "train_mae": [0.7], "test_mae": [0.8], "fit_seconds": [1.0]}
    )
    assert "Errors of the models" in texts(drawn(model_plots.plot_leaderboard(frame)))


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ArgumentError, match="as many predictions as ratings.*received 2 and 1"):
        model_plots.plot_predictions([1, 2], [1])
    with pytest.raises(ArgumentError, match="finite"):
        model_plots.plot_predictions([1, 2], [1, np.nan])
    with pytest.raises(ArgumentError, match="no column fit_seconds"):
        model_plots.plot_leaderboard(
            pl.DataFrame({"model": ["a"], "train_mae": [1.0], "test_mae": [1.0]})
        )
    schema = ["group", "band", "n", "mae", "baseline_mae"]
    with pytest.raises(ArgumentError, match="received no rows"):
        model_plots.plot_error_bands(pl.DataFrame(schema=schema))
