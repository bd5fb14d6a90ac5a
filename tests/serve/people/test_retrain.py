"""A model fitted anew with the ratings that people gave."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import save_small, small_ratings, text_ratings

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.errors import DataError, StoreError, UnsupportedError
from tastemap.models.base.artifact import Artifact
from tastemap.models.registry import load_model
from tastemap.serve.model.additions import NewItem, add_items
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people import retrain
from tastemap.serve.people.events import Event
from tastemap.serve.people.profiles import api_profile, page_profile
from tastemap.serve.people.retrain import merged_ratings, update_model
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service


@pytest.mark.filterwarnings("ignore::tastemap.explore.item_map.SmallMapWarning")
def test_ratings_of_people_become_training_ratings(artifact: Path, tmp_path: Path) -> None:
    path = tmp_path / "model"
    shutil.copytree(artifact, path)
    url = f"sqlite:///{tmp_path / 'ratings.db'}"
    before = load_model(path).ratings_
    store = Store(url)
    service = Service(LiveModel(path), store)
    service.profiles.rate(page_profile("token"), {"1": 1.0, "2": 5.0}, moment=77)
    service.profiles.rate(api_profile("3"), {"1": 2.0})
    service.profiles.rate(api_profile("9999"), {"5": 4.0})
    service.profiles.rate(api_profile("new"), {"6": 4.0})
    gone = service.profiles.ratings_of(api_profile("4")).ratings[0].item_id
    service.profiles.unrate(api_profile("4"), str(gone))
    forgotten = len(service.profiles.ratings_of(api_profile("5")).ratings)
    service.profiles.forget(api_profile("5"))

    changed = update_model(path, url, progress=False)
    model = load_model(path)
    after = model.ratings_.to_frame()
    assert (changed.profiles, changed.ratings) == (4, 5)
    assert changed.n_ratings == len(model.ratings_)
    people = {user: sorted(rows["item_id"]) for (user,), rows in after.group_by("user_id")}
    numbers = [user for user in people if user < 0]
    assert sorted(people[user] for user in numbers) == [[1, 2], [6]]
    assert people[9999] == [5]
    assert gone not in people[4]
    assert 5 not in people
    mine = after.filter((after["user_id"] == 3) & (after["item_id"] == 1))
    assert mine["rating"].to_list() == [2.0]
    replaced = before.to_frame().filter(
        (before.to_frame()["user_id"] == 3) & (before.to_frame()["item_id"] == 1)
    )
    assert len(model.ratings_) == len(before) + 5 - forgotten - 1 - len(replaced)
    assert model.ratings_.scale == before.scale
    assert model.ratings_.items.ids.equals(before.items.ids)
    assert model.item_map_ is not None
    assert model.metrics_ == {"rmse": 0.9, "ratings_when_measured": len(before)}

    # Once more: nothing is counted twice, and who was forgotten meanwhile is gone.
    again = update_model(path, url, progress=False)
    assert load_model(path).metrics_["ratings_when_measured"] == len(before)
    assert again.n_ratings == changed.n_ratings
    service.profiles.forget(page_profile("token"))
    assert update_model(path, url, progress=False).n_ratings == changed.n_ratings - 2
    store.close()


def test_text_ids_and_nothing_left() -> None:
    ratings, store = text_ratings(), Store("sqlite://")
    store.rate(page_profile("token"), {"a/b": 5.0, "no such item": 3.0})
    store.rate(api_profile("ann"), {"50%": 4.0})
    merged, update = merged_ratings(ratings, store)
    assert update.ratings == 2
    assert merged.rated_items("ann")["item_id"].to_list() == ["50%"]
    (visitor,) = [user for user in merged.users if user.startswith("visitor ")]
    assert merged.rated_items(visitor)["item_id"].to_list() == ["a/b"]
    one = ratings.take(np.array([0]))
    empty = Store("sqlite://")
    empty.forget(api_profile(str(one.users.ids[int(one.user_index[0])])), mark=True)
    with pytest.raises(DataError, match="withdrawn"):
        merged_ratings(one, empty)


def test_what_cannot_be_fitted_again_says_so(tmp_path: Path) -> None:
    path = save_small(small_ratings(), tmp_path / "model")
    recipe = {"class": "FactorModel", "parameters": {}}
    artifact = replace(Artifact.read(path), class_name="FactorModel", parameters={}, recipe=recipe)
    artifact.write(path)
    url = f"sqlite:///{tmp_path / 'r.db'}"
    Store(url).close()
    with pytest.raises(UnsupportedError, match="fit a new model"):
        update_model(path, url, progress=False)


# ---- where ratings came from ----


def table(ratings: Ratings) -> set[tuple[Any, ...]]:
    """All ratings, with their ids."""
    return set(ratings.to_frame().select("user_id", "item_id", "rating").iter_rows())


def renamed_users(name: Callable[[int], Any]) -> Ratings:
    """The small ratings with other names of users, as a file would have them."""
    ratings = small_ratings()
    names = {user: name(user) for user in ratings.users}
    frame = ratings.to_frame().with_columns(pl.col("user_id").replace_strict(names))
    return Ratings.from_frame(frame, item_table=ratings.item_table)


@pytest.mark.parametrize("name", ["person {}", "-{}"])
def test_training_users_may_be_called_anything(name: str) -> None:
    ratings = renamed_users(lambda user: name.format(user) if "p" in name else -user)
    store = Store("sqlite://")
    store.rate(page_profile("token"), {"1": 5.0, "2": 1.0})
    merged, update = merged_ratings(ratings, store)
    assert table(ratings) < table(merged)
    assert (update.withdrawn, update.n_ratings) == (0, len(ratings) + 2)
    assert merged.n_users == ratings.n_users + 1
    again, _ = merged_ratings(merged, store)
    assert table(again) == table(merged)
    store.close()


@pytest.mark.parametrize("ratings", [small_ratings(), text_ratings()], ids=["numbers", "text"])
def test_no_user_of_the_api_is_taken_for_a_visitor(ratings: Ratings) -> None:
    store = Store("sqlite://")
    item, other = map(str, ratings.items.ids[:2])
    store.rate(page_profile("token"), {item: 5.0})
    merged, _ = merged_ratings(ratings, store)
    (visitor,) = set(merged.users) - set(ratings.users)
    assert visitor not in ("person 1", -1)
    # Somebody of the API guesses the visitor's name, and an old one.
    for guess in (str(visitor), "person 1", "-1"):
        store.rate(api_profile(guess), {other: 1.0})
    again, _ = merged_ratings(merged, store)
    assert again.rated_items(visitor)["item_id"].cast(pl.String).to_list() == [item]
    assert again.n_users == ratings.n_users + 4
    store.close()


def test_the_api_does_not_show_what_a_visitor_rated(artifact: Path, tmp_path: Path) -> None:
    store, model = Store("sqlite://"), load_model(artifact)
    store.rate(page_profile("token"), {"1": 5.0})
    merged, _ = merged_ratings(model.ratings_, store)
    (visitor,) = set(merged.users) - set(model.ratings_.users)
    model.fit(merged, progress=False).save(tmp_path / "model")
    service = Service(LiveModel(tmp_path / "model"), store)
    guess = api_profile(str(visitor))
    assert service.profiles.ratings_of(guess).ratings == []
    assert service.recommend(guess).source == "popular"
    assert service.recommend(api_profile("3")).source == "trained"
    store.close()


PEOPLE = [page_profile("a"), page_profile("b"), api_profile("3"), api_profile("new")]
STARS = st.dictionaries(st.sampled_from(["1", "2", "3", "77"]), st.sampled_from([1.0, 5.0]))


@pytest.fixture(scope="module")
def emptied() -> Iterator[Store]:
    """One store for all examples, each of which empties it."""
    store = Store("sqlite://")
    yield store
    store.close()


@settings(max_examples=15, deadline=None, database=None)
@given(stars=st.lists(STARS, min_size=4, max_size=4), leaver=st.integers(0, 3), later=STARS)
def test_an_update_may_be_repeated_and_takes_back_what_it_brought(
    emptied: Store, stars: list[dict[str, float]], leaver: int, later: dict[str, float]
) -> None:
    ratings = small_ratings()
    for key, rated in zip(PEOPLE, stars, strict=True):
        emptied.rate(key, rated, moment=7)
    first, update = merged_ratings(ratings, emptied)
    again, repeated = merged_ratings(first, emptied)
    assert again.to_frame().equals(first.to_frame())
    assert again.users.ids.equals(first.users.ids)
    assert again.source.merged.equals(first.source.merged)
    assert (repeated.withdrawn, repeated.n_ratings) == (0, update.n_ratings)
    others = ratings.to_frame().filter(pl.col("user_id") != 3)
    assert first.to_frame().filter(pl.col("user_id").is_in(others["user_id"])).equals(others)

    emptied.rate(PEOPLE[(leaver + 1) % 4], later, moment=9)
    emptied.forget(PEOPLE[leaver], mark=PEOPLE[leaver] == api_profile("3"))
    after, _ = merged_ratings(again, emptied)
    as_if_never_there, _ = merged_ratings(ratings, emptied)
    assert table(after) == table(as_if_never_there)
    assert set(after.users) == set(as_if_never_there.users)
    assert set(after.source.merged.rows()) == set(as_if_never_there.source.merged.rows())
    for key in PEOPLE:
        emptied.forget(key)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_update_sees_one_moment_and_loses_nothing_that_comes_meanwhile(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'r.db'}"
    url = url if kind == "sqlite" else request.getfixturevalue("postgres")
    store, reader, done = Store(url), None, threading.Event()
    writes: list[float] = []

    def write() -> None:
        while not done.is_set():
            stars = float(len(writes) % 5 + 1)
            store.rate(page_profile("meanwhile"), {"1": stars, "2": stars})
            writes.append(stars)

    thread = threading.Thread(target=write)
    thread.start()
    reader = Store(url, readonly=True)
    merged = small_ratings()
    for _ in range(8):
        merged, _ = merged_ratings(merged, reader)
        came = merged.to_frame().join(merged.source.merged, on=["user_id", "item_id"])
        assert came["rating"].n_unique() <= 1, "half of a write"
    done.set()
    thread.join()
    merged, _ = merged_ratings(merged, reader)
    came = merged.to_frame().join(merged.source.merged, on=["user_id", "item_id"])
    assert came["rating"].to_list() == [writes[-1]] * 2
    store.forget(page_profile("meanwhile"))
    for opened in (store, reader):
        opened.close()


@pytest.mark.filterwarnings("ignore::tastemap.explore.item_map.SmallMapWarning")
def test_items_that_were_put_in_outlive_an_update(
    bayes_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copytree(bayes_artifact, tmp_path / "model"))
    url = f"sqlite:///{tmp_path / 'r.db'}"
    store = Store(url)
    store.rate(page_profile("ann"), {"901": 5.0, "2": 4.0})
    store.close()
    live = LiveModel(path)

    def slowly(*given: Any) -> Any:
        add_items(live, [NewItem("950", {"title": "Meanwhile", "genres": ["Drama"]})])
        return merged_ratings(*given)

    monkeypatch.setattr(retrain, "merged_ratings", slowly)
    assert update_model(path, url, progress=False).ratings == 2
    model = load_model(path)
    items = model.ratings_.items
    assert items.ids[-4:].to_list() == [901, 902, 903, 950]
    assert items.frame["title"][-1] == "Meanwhile"
    assert model.basis_of(np.arange(80, 84)) == ["ratings", "facts", "average", "facts"]
    assert live.reload()
    assert live.current.catalogue.rows_of.row("950") == 83


def test_two_stores_leave_each_other_alone() -> None:
    ratings, stores = text_ratings(), [Store("sqlite://") for _ in range(2)]
    for n, store in enumerate(stores):
        store.rate(page_profile("token"), {"a/b": 5.0 - n})
        store.rate(api_profile("ann"), {"50%": 4.0 - n, f"item {50 + n}": 3.0})
    assert stores[0].identity != stores[1].identity
    one, _ = merged_ratings(ratings, stores[0])
    both, _ = merged_ratings(one, stores[1])
    assert len(both) == len(ratings) + 5
    assert {"item 50", "item 51", "50%"} == {*both.rated_items("ann")["item_id"]}
    ann = {(r["item_id"], r["rating"]) for r in both.rated_items("ann").iter_rows(named=True)}
    assert ("50%", 3.0) in ann, "the store that was merged last wins"
    stores[1].forget(api_profile("ann"))
    stores[1].forget(page_profile("token"))
    left, _ = merged_ratings(both, stores[1])
    assert table(left) == table(one) - {("ann", "50%", 4.0)}
    again, _ = merged_ratings(left, stores[0])
    assert table(again) == table(one)
    for store in stores:
        store.close()


def test_new_ratings_of_the_data_are_no_longer_the_stores() -> None:
    ratings, store = small_ratings(), Store("sqlite://")
    store.rate(api_profile("3"), {"1": 1.0})
    merged, _ = merged_ratings(ratings, store)
    frame = pl.DataFrame({"user_id": [3], "item_id": [1], "rating": [5.0]})
    newer = merged.merged_with(Ratings.from_frame(frame))
    assert newer.source.merged.is_empty()
    store.forget(api_profile("3"))
    again, _ = merged_ratings(newer, store)
    assert (3, 1, 5.0) in table(again)
    store.close()


@pytest.mark.filterwarnings("ignore::tastemap.explore.item_map.SmallMapWarning")
def test_the_record_outlives_loading_and_saving(artifact: Path, tmp_path: Path) -> None:
    path, url = tmp_path / "model", f"sqlite:///{tmp_path / 'ratings.db'}"
    shutil.copytree(artifact, path)
    store = Store(url)
    store.rate(page_profile("token"), {"1": 5.0})
    update_model(path, url, progress=False)
    load_model(path).save(path)
    store.forget(page_profile("token"))
    assert update_model(path, url, progress=False).withdrawn == 1
    assert table(load_model(path).ratings_) == table(load_model(artifact).ratings_)
    store.close()


# ---- interactions ----


def test_interactions_of_people_become_training_data(clicks_artifact: Path, tmp_path: Path) -> None:
    path, url = tmp_path / "model", f"sqlite:///{tmp_path / 'clicks.db'}"
    shutil.copytree(clicks_artifact, path)
    store = Store(url)
    service = Service(LiveModel(path), store)
    before = service.model.data
    assert before.timestamp is not None
    visitor, user = page_profile("token"), api_profile("3")
    for item in ("9", "2", "7"):
        service.profiles.rate(visitor, {item: 1.0}, moment=7)
    service.profiles.rate(visitor, {"4": -1.0}, moment=6)
    changed_item = service.profiles.ratings_of(user).ratings[0].item_id
    service.record(user, [Event(str(changed_item), 4.0)])
    gone = service.profiles.ratings_of(api_profile("4")).ratings[0].item_id
    service.profiles.unrate(api_profile("4"), str(gone))
    forgotten = len(service.profiles.ratings_of(api_profile("5")).ratings)
    service.profiles.forget(api_profile("5"))

    store.settle("interactions")
    changed = update_model(path, url, progress=False)
    model = load_model(path)
    after = model.fitted_data
    assert (changed.profiles, changed.ratings, changed.noun) == (2, 5, "interactions")
    assert changed.n_ratings == len(after) == len(before) + 4 - 1 - forgotten
    (name,) = set(after.users) - set(before.users)
    history = after.take(after.by_user[after.users.index_of(name)])
    history = history.take(history.in_order)
    assert history.items.ids_at(history.item_index).to_list()[0] == 4
    assert history.weight.tolist() == [-1.0, 1.0, 1.0, 1.0]
    weights = dict(after.items_of(3).select("item_id", "weight").iter_rows())
    assert weights[changed_item] == 5.0
    assert gone not in after.items_of(4)["item_id"]
    assert after.source.noun == "film"

    again = update_model(path, url, progress=False)
    assert (again.withdrawn, again.n_ratings) == (0, changed.n_ratings)
    store.forget(visitor)
    assert update_model(path, url, progress=False).n_ratings == changed.n_ratings - 4
    store.close()


def test_positions_go_on_where_those_of_a_user_end() -> None:
    table = {"user_id": ["a", "a", "b"], "item_id": ["x", "y", "x"], "position": [0, 1, 0]}
    data = Interactions.from_frame(pl.DataFrame(table))
    store = Store("sqlite://")
    store.rate(api_profile("b"), {"y": 1.0}, moment=5)
    store.rate(api_profile("a"), {"x": 2.0}, moment=6)
    merged, _ = merged_ratings(data, store)
    histories = {
        user: merged.take(merged.by_user[merged.users.index_of(user)]) for user in ("a", "b")
    }
    in_order = {
        user: history.take(history.in_order).to_frame()["item_id"].to_list()
        for user, history in histories.items()
    }
    assert in_order == {"a": ["y", "x"], "b": ["x", "y"]}
    store.close()


def test_a_store_of_the_other_kind_is_refused(
    artifact: Path, clicks_artifact: Path, tmp_path: Path
) -> None:
    for model, kind in ((artifact, "interactions"), (clicks_artifact, "ratings")):
        url = f"sqlite:///{tmp_path / kind}.db"
        store = Store(url)
        store.settle(kind)
        store.close()
        with pytest.raises(StoreError, match=f"one for {kind}"):
            update_model(model, url, progress=False)
