"""The figure of an expansion: three panels, two lines each, singular values as NumPy has them."""

import numpy as np
import pytest

from tastemap.data.datasets.fractal import FractalExpansion, Size
from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.readers.read import read_ratings
from tastemap.errors import ArgumentError
from tastemap.explore.figures import expansion as expansion_plots
from tastemap.explore.figures.expansion import plot_expansion, spectrum


def test_three_panels_with_both_tables(tmp_path) -> None:
    base = synthetic_ratings()
    big = next(FractalExpansion(base, Size(120, 80, 2500)).blocks())
    figure = plot_expansion(base, read_ratings(big))
    figure.canvas.draw()
    assert [ax.get_title() for ax in figure.axes] == ["Popularity", "Activity", "Spectrum"]
    for ax in figure.axes:
        assert [line.get_label() for line in ax.lines] == ["original", "expanded"]
    shares, counts = figure.axes[0].lines[0].get_data()
    assert shares[-1] == 1
    assert counts[0] == base.by_item.counts.max() / base.by_item.counts.mean()


def test_the_spectrum_is_that_of_the_table(monkeypatch) -> None:
    ratings = synthetic_ratings()
    table = np.zeros((ratings.n_users, ratings.n_items))
    table[ratings.user_index, ratings.item_index] = ratings.rating - ratings.global_mean
    expected = np.linalg.svd(table, compute_uv=False)
    np.testing.assert_allclose(spectrum(ratings, 10), expected[:10], rtol=1e-6)
    monkeypatch.setattr(expansion_plots, "MAX_USERS_OF_SPECTRUM", 60)
    half = spectrum(ratings, 10)
    assert (half < expected[:10]).all()
    np.testing.assert_array_equal(half, spectrum(ratings, 10))


def test_a_table_without_a_spectrum_is_refused() -> None:
    ratings = synthetic_ratings()
    with pytest.raises(ArgumentError, match="three users and items"):
        plot_expansion(ratings, read_ratings(ratings.to_frame().head(1)))
