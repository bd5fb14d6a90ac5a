"""Parts of a prediction, and what it would be without a rating."""

import pytest

from tastemap.serve.service import Service


def test_parts_add_up_and_say_what_would_be_without(service: Service) -> None:
    mine = {"2": 5.0, "4": 4.0, "1": 1.0}
    why = service.explain(mine, "6")
    assert why.additive
    total = sum(part.contribution for part in why.parts)
    assert total == pytest.approx(why.prediction.predicted_rating, abs=1e-5)
    for part in why.parts:
        if part.item_id is not None:
            rest = {item: rating for item, rating in mine.items() if item != str(part.item_id)}
            expected = service.prediction(rest, "6").predicted_rating
            assert part.without == pytest.approx(expected)
    nothing = service.explain({}, "6")
    assert nothing.prediction.source == "popular"
    total = sum(part.contribution for part in nothing.parts)
    assert total == pytest.approx(service.item("6").damped_average)
