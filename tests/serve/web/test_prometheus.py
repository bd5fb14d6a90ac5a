"""What Prometheus reads."""

from tastemap.serve.web.prometheus import Counting


def test_requests_are_counted_by_route_and_made_up_methods_are_one() -> None:
    counting = Counting()
    for method in ("GET", "GET", "BREW", "STIR"):
        counting.request(method, "/items", 200, 0.004)
    counting.reload()
    text = counting.text({"tastemap_ratings": ("Ratings in the store.", 7)}).decode()
    assert 'tastemap_requests_total{method="GET",route="/items",status="200"} 2.0' in text
    assert 'tastemap_requests_total{method="other",route="/items",status="200"} 2.0' in text
    assert 'tastemap_request_seconds_bucket{le="0.0025",route="/items"} 0.0' in text
    assert 'tastemap_request_seconds_bucket{le="0.005",route="/items"} 4.0' in text
    assert "tastemap_model_reloads_total 1.0" in text
    assert "tastemap_ratings 7.0" in text
