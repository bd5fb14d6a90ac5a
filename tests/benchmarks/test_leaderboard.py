"""The driver of the leaderboard: export, scoring, tables, and failures shown.

The peers are not installed here; our own model stands in for one, in a process of its own.
"""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tastemap as tm
from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.splits import Split

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def peers() -> Iterator[SimpleNamespace]:
    """The modules, which are scripts and not part of the package."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        names = ("registry", "runs", "scores", "table", "tables", "tasks")
        yield SimpleNamespace(**{name: import_module(f"peers.{name}") for name in names})
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.fixture
def split() -> Split:
    return tm.per_user_split(synthetic_ratings(), 0.2, 0)


def contender(peers: SimpleNamespace, adapter: str = "ours", **options: Any) -> Any:
    return peers.registry.Contender("a peer", adapter, ("u1",), options, "bias")


def test_a_table_is_written_without_the_test_ratings(
    peers: SimpleNamespace, split: Split, tmp_path: Path
) -> None:
    peers.tasks.write_task(split, tmp_path)
    train, pairs = (peers.table.read_table(tmp_path, part) for part in ("train", "pairs"))
    assert pairs.ratings is None
    np.testing.assert_array_equal(train.ratings, split.train.rating)
    np.testing.assert_array_equal(pairs.items, split.test.item_index)
    np.testing.assert_array_equal(pairs.times, split.test.timestamp)
    assert train.side["genres"].sum() == train.n_items
    for file in tmp_path.glob("*.npz"):
        arrays = np.load(file)
        assert not any(
            arrays[name].shape == split.test.rating.shape
            and (arrays[name] == split.test.rating).all()
            for name in arrays
        ), file.name


def test_a_model_in_a_process_of_its_own_gives_what_it_gives_here(
    peers: SimpleNamespace, split: Split, tmp_path: Path
) -> None:
    peers.tasks.write_task(split, tmp_path)
    asked = contender(peers, model="bias")
    answer, spent = peers.runs.run(
        asked, asked.options, tmp_path, "ratings", environments=tmp_path, rounds=2
    )
    here = tm.make_model("bias").fit(split.train)
    score = peers.scores.rating_score(answer, *split)
    assert score.values["rmse"] == pytest.approx(
        tm.rmse(split.test.rating, here.predict_ratings(split.test)), abs=1e-6
    )
    assert score.totals.sum() / score.counts.sum() == pytest.approx(score.values["rmse"] ** 2)
    assert len(spent["fits_s"]) == 2
    assert spent["fit_s"] == min(spent["fits_s"])
    assert (spent["version_of"], spent["version"]) == ("tastemap", tm.__version__)


def test_lists_of_a_process_hold_nothing_seen_and_are_scored_as_evaluate_does(
    peers: SimpleNamespace, tmp_path: Path
) -> None:
    from tastemap.evaluation.evaluate import evaluate_ranking

    ratings = synthetic_ratings()
    split = tm.per_user_split(ratings.take(ratings.rating >= 4), 0.2, 0)
    peers.tasks.write_task(split, tmp_path)
    asked = contender(peers, model="popularity")
    answer, _ = peers.runs.run(asked, asked.options, tmp_path, "lists", environments=tmp_path)
    score = peers.scores.list_score(answer, *split)
    frame = evaluate_ranking(tm.make_model("popularity").fit(split.train), split.test)
    expected = dict(zip(frame["metric"], frame["value"], strict=True))
    for name in ("recall", "ndcg", "coverage"):
        assert score.values[name] == pytest.approx(expected[name])
    assert score.totals.mean() == pytest.approx(score.values["ndcg"])


def test_what_does_not_run_says_why(peers: SimpleNamespace, split: Split, tmp_path: Path) -> None:
    peers.tasks.write_task(split, tmp_path)
    run, failure = peers.runs.run, peers.runs.DidNotRunError
    with pytest.raises(failure, match="not installed"):
        run(contender(peers, "cornac"), {}, tmp_path, "ratings", environments=tmp_path)
    (tmp_path / "failures.json").write_text(json.dumps({"cornac": "no compiler"}))
    with pytest.raises(failure, match="did not install: no compiler"):
        run(contender(peers, "cornac"), {}, tmp_path, "ratings", environments=tmp_path)
    ours, options = contender(peers), {"model": "no_such_model"}
    with pytest.raises(failure, match="ArgumentError: model"):
        run(ours, options, tmp_path, "ratings", environments=tmp_path)
    with pytest.raises(failure, match="no answer after 0 s"):
        run(ours, options, tmp_path, "ratings", environments=tmp_path, patience=0.01)


def test_wrong_lists_are_refused(peers: SimpleNamespace, split: Split) -> None:
    train, users = split.train, np.arange(3)
    unseen = [np.setdiff1d(np.arange(80), train.item_index[train.by_user[u]])[:5] for u in users]
    good = np.stack(unseen)
    peers.scores.check_lists(good, users, train)
    for column, value, message in (
        (0, train.item_index[train.by_user[0]][0], "1 lists hold a seen item"),
        (0, -1, "1 lists hold no item"),
        (0, good[0, 1], "1 lists hold an item twice"),
    ):
        bad = good.copy()
        bad[0, column] = value
        with pytest.raises(ValueError, match=message):
            peers.scores.check_lists(bad, users, train)
    with pytest.raises(ValueError, match="3 lists are asked for"):
        peers.scores.check_lists(good[:2], users, train)


def test_predictions_are_clipped_and_gaps_filled_and_said(
    peers: SimpleNamespace, split: Split
) -> None:
    answer = np.full(len(split.test), 9.0)
    assert peers.scores.rating_score(answer, *split).values["mae"] == pytest.approx(
        (5 - split.test.rating).mean()
    )
    answer[:2] = np.nan
    assert "no answer for 2 pairs" in peers.scores.rating_score(answer, *split).note


def test_a_distribution_is_scored_by_mean_median_and_log_loss(
    peers: SimpleNamespace, split: Split
) -> None:
    p = np.tile([0.0, 0.0, 0.2, 0.4, 0.4], (len(split.test), 1))
    values = peers.scores.rating_score(p, *split).values
    assert values["mae"] == pytest.approx(np.abs(split.test.rating - 4.2).mean(), abs=1e-6)
    assert values["mae_median"] == pytest.approx(np.abs(split.test.rating - 4).mean())
    assert values["log_loss"] > 0


def rows() -> list[dict[str, Any]]:
    spent = {
        "threads": 1,
        "options": {"k": 9},
        "prepare_s": 0.1,
        "answer_s": 0.1,
        "memory_mb": 3.0,
        "beside": "",
    }
    ours = {"task": "u1", "model": "mf", "settings": "defaults", "ours": True, "rmse": 0.9}
    peer = {"task": "u1", "model": "P", "settings": "chosen", "ours": False, "rmse": 0.95}
    failed = {"task": "u1", "model": "Q", "settings": "defaults", "ours": False, "beside": "mf"}
    return [
        spent | ours | {"mae": 0.7, "fit_s": 0.5},
        spent
        | peer
        | {"mae": 0.75, "fit_s": 1.0, "beside": "mf", "difference": [0.05, 0.04, 0.06, 0.001]},
        failed | {"threads": 1, "reason": "no wheel | no compiler"},
    ]


def test_tables_show_ratios_losses_and_failures(peers: SimpleNamespace) -> None:
    task = next(task for task in peers.tasks.TASKS if task.name == "u1")
    given = rows()
    peers.scores.corrected(given)
    header, body = peers.tables.table(task, given)
    cells = [dict(zip(header, line, strict=True)) for line in body]
    assert [line["model"] for line in cells] == ["**mf**", "P", "Q"]
    assert (cells[1]["fit / ours"], cells[1]["ahead"]) == ("2.0", "ours")
    assert cells[1]["difference (95 %)"] == "+0.0500 (+0.0400 to +0.0600)"
    assert cells[1]["p, Holm"] == "0.001"
    assert "log-loss" not in header  # nobody has one
    assert cells[2]["RMSE"] == "did not run: no wheel / no compiler"
    worse = rows()
    worse[1] |= {"difference": [-0.05, -0.06, -0.04, 0.001], "p_holm": 0.002, "fit_s": 0.1}
    said = peers.tables.tally(task, worse)
    assert "Better than ours: P." in said
    assert "Faster than ours: P." in said
    lists = worse[1] | {"difference": [0.01, 0.005, 0.02, 0.001], "ndcg": 0.3}
    del lists["rmse"]
    assert peers.tables.ahead(lists) == "peer"
    assert peers.tables.ahead(lists | {"p_holm": 0.06}) == "neither"
    untimed = [{name: row[name] for name in row if name != "fit_s"} for row in worse]
    assert peers.tables.tally(task, untimed).endswith(
        "by no more than chance. Better than ours: P."
    )


def test_p_values_are_corrected_for_the_number_of_differences(peers: SimpleNamespace) -> None:
    given = [{"difference": [0.1, 0, 0, p]} for p in (0.01, 0.04, 0.03)]
    given.insert(1, {"ours": True})
    peers.scores.corrected(given)
    assert [row.get("p_holm") for row in given] == [0.03, None, 0.06, 0.06]


def test_what_was_answered_is_not_asked_again(peers: SimpleNamespace, tmp_path: Path) -> None:
    calls = []

    def ask() -> tuple[Any, dict[str, float]]:
        calls.append(1)
        return np.array([len(calls)]), {"fit_s": 1.0}

    for question, expected in (({"k": 1}, 1), ({"k": 1}, 1), ({"k": 2}, 2)):
        answer, spent = peers.runs.with_memory(tmp_path / "kept", question, ask)
        assert (answer.tolist(), spent) == ([expected], {"fit_s": 1.0})
    assert peers.runs.with_memory(None, {"k": 1}, ask)[0].tolist() == [3]


def test_paired_differences_know_a_gap_from_noise(peers: SimpleNamespace) -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 20, 300)
    loss = rng.gamma(2, size=300) * counts
    score = peers.scores.Score
    same, worse = score({}, loss, counts), score({}, loss + 0.1 * counts, counts)
    value, low, high, p = peers.scores.difference(worse, same, root=False)
    assert [value, low, high] == pytest.approx([0.1] * 3)
    assert p < 0.001  # small enough for Holm's correction of many peers
    noisy = score({}, rng.permutation(loss / counts) * counts, counts)
    _, low, high, _ = peers.scores.difference(noisy, same, root=True)
    assert low < 0 < high


def test_only_the_marked_parts_of_a_page_are_replaced(
    peers: SimpleNamespace, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    names = ("settings", "u1")
    marks = [f"<!-- leaderboard: {name} -->\n\nold\n\n<!-- end -->\n" for name in names]
    page.write_text("# Mine\n" + "\nkept\n".join(marks))
    about = {"processor": "x", "cores": 1, "date": "today", "versions": {"numpy": "2"}}
    result = {"machine": about, "rounds": 1, "seed": 0, "rows": rows()}
    peers.tables.write(result, page)
    text = page.read_text()
    assert "old" not in text
    assert text.count("kept") == 1
    assert "| irspack SLIM | ml-100k | alpha 0.1, l1_ratio 0.01 |" in text
    assert "| **mf** | defaults | 0.9000 |" in text
    assert "x, 1 cores, today. Versions: numpy 2." in text
    peers.tables.write(result, page)
    assert page.read_text() == text
