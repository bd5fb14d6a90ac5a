import polars as pl
import pytest

from tastemap.errors import ArgumentError
from tastemap.explore.overfitting import overfitting_sentence, verdict


def history(train, validation=None, first=1):
    columns = {"epoch": range(first, first + len(train)), "train_loss": train}
    if validation is not None:
        columns["validation_loss"] = validation
    return pl.DataFrame(columns, strict=False)


@pytest.mark.parametrize(
    ("curves", "kind", "says"),
    [
        (history([1, 0.7, 0.5, 0.4], [0.9, 0.8, 0.9, 1]), "overfits", "overfits from epoch 3"),
        (history([1, 0.7, 0.5], [0.9, 0.8, 0.7]), "improving", "epoch 3 (0.700), the last one"),
        (history([1, 0.7, 0.6, 0.5], [0.9, 0.8, 0.797, 0.796]), "memorises", "From epoch 2 on"),
        (history([1, 0.7, 0.69, 0.68], [0.9, 0.8, 0.797, 0.796]), "improving", "No sign"),
        (history([1, 0.7, 0.6], [0.9, 0.8, 0.801]), "level", "No overfitting worth the name"),
        (history([1, 0.7, 0.9], [0.9, 0.8, 1.0]), "unstable", "unstable after epoch 2"),
        (history([1, 0.7, 0.6]), "untold", "The training loss falls from 1.000 to 0.600"),
        (history([1.0], [1.0]), "untold", "a validation loss over two epochs or more would tell"),
        (history([1, float("nan"), 0.6], [1, 1, 1.0]), "diverged", "diverged at epoch 2"),
        (history([1, 1, 1], [1, float("inf"), 1.0]), "diverged", "diverged at epoch 2"),
        (history([2, 1, 0.5], [0.8, 0.9, 1.0], first=0), "overfits", "overfits from epoch 1"),
    ],
)
def test_the_curves_say_whether_the_model_overfits(curves, kind, says):
    assert verdict(curves).kind == kind
    assert says in overfitting_sentence(curves)


def test_the_sentence_gives_the_values_it_follows_from():
    sentence = overfitting_sentence(history([1, 0.7, 0.5], [0.9, 0.8, 0.95]))
    for value in ("epoch 2 (0.800)", "0.950 at epoch 3", "from 0.700 to 0.500"):
        assert value in sentence


def test_other_metrics_and_missing_epochs():
    frame = pl.DataFrame(
        {"train_mae": [1.0, 0.5, 0.4], "validation_mae": [0.8, 0.7, 0.9], "train_loss": [1, 1, 1]}
    )
    assert "the validation mae is least at epoch 2" in overfitting_sentence(frame, "mae")


def test_a_history_without_the_metric_is_refused():
    with pytest.raises(ArgumentError, match="a column train_loss; received 0 rows, columns none"):
        verdict(pl.DataFrame())
    with pytest.raises(ArgumentError, match="a column train_rmse"):
        verdict(history([1.0]), "rmse")
