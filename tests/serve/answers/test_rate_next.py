"""What to rate next."""

from pathlib import Path

import numpy as np
from small_models import save_small, small_interactions, small_ratings

from tastemap.serve.answers.rate_next import candidates_of, nearness, rate_next
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.profiles import page_profile
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service

ANN = page_profile("ann")


def test_what_to_rate_next_tells_most(service: Service) -> None:
    model = service.model
    user = service.profiles.user(model, {"2": 5.0})
    chosen = rate_next(model, user, 6, candidates_of(model, user)) + 1
    assert chosen.tolist() == greedily(service, [2], 6)


def greedily(service: Service, rated: list[int], k: int) -> list[int]:
    """The same by determinants: what the next rating would tell, times how many know the item."""
    model = service.model.model
    known = np.log2(model.ratings_.by_item.counts + 1)

    def volume(items: list[int]) -> float:
        X = model.factors.item_weights[[item - 1 for item in items]].astype(float)
        X[:, 0] = 1
        return float(np.linalg.slogdet(model.factors.prior.precision + X.T @ X)[1])

    chosen = list(rated)
    for _ in range(k):
        left = [item for item in range(1, 81) if item not in chosen]
        gains = [known[i - 1] * (volume([*chosen, i]) - volume(chosen)) for i in left]
        chosen.append(left[int(np.argmax(gains))])
    return chosen[len(rated) :]


def test_who_has_no_likes_yet_is_asked_what_tells_most(tmp_path: Path) -> None:
    """A model that only ranks has no biases, for which it would know no spread."""
    store = Store("sqlite://")
    for n, data in enumerate((small_ratings(), small_interactions())):
        service = Service(LiveModel(save_small(data, tmp_path / str(n), "ials")), store)
        rows = {row.key: row.items for row in service.rows({}, 4)}
        assert len({item.item_id for item in rows["rate-next"]}) == 4
    store.close()


def test_what_is_not_seen_is_not_asked_again(service: Service) -> None:
    def asked() -> list[str]:
        rows = {row.key: row for row in service.rows(ANN, 6)}
        return [str(item.item_id) for item in rows["rate-next"].items]

    service.profiles.rate(ANN, {"2": 5.0})
    first = asked()
    service.profiles.flag(ANN, first[:2], "unseen")
    assert set(asked()).isdisjoint(first[:2])
    picks = {str(item.item_id) for item in service.recommend(ANN, 80).items}
    assert set(first[:2]) <= picks, "what is not seen may be picked"
    service.profiles.unflag(ANN, first[0])
    assert first[0] in asked()


def test_after_five_answers_it_differs_between_people(service: Service, tmp_path: Path) -> None:
    model = service.model
    drama, comedy = ({str(n): 5.0 for n in range(start, start + 10, 2)} for start in (2, 1))
    for n_answers, is_near in ((4, False), (5, True)):
        user = service.profiles.user(model, dict(list(drama.items())[:n_answers]))
        near = nearness(model, user, model.catalogue.by_popularity)
        assert bool(near.any()) == is_near
    asked = []
    for mine in (drama, comedy):
        user = service.profiles.user(model, mine)
        candidates = candidates_of(model, user)
        asked.append(rate_next(model, user, 8, candidates))
        near = nearness(model, user, asked[-1])
        assert near.mean() > nearness(model, user, candidates).mean()
    assert len(np.intersect1d(*asked)) < 8
    store = Store("sqlite://")
    knn = Service(LiveModel(save_small(small_ratings(), tmp_path / "knn", "knn")), store)
    user = knn.profiles.user(knn.model, drama)
    near = nearness(knn.model, user, np.arange(80, dtype=np.int32))
    assert 0 < near.max() <= 1, "the share of the likes that are similar"
    store.close()
