"""What the client has already is not sent again."""

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from tastemap.serve.settings import Limits
from tastemap.serve.web.etags import has_already, tag_of, tagged

TAG = tag_of(b"{}")


def request_with(shown: str) -> Request:
    return Request({"type": "http", "headers": [(b"if-none-match", shown.encode())]})


@pytest.mark.parametrize("shown", [TAG, f"W/{TAG}", f'"x", {TAG}', f'"a,b",W/{TAG}'])
def test_a_body_with_a_tag_that_is_shown_is_left_out(shown: str) -> None:
    answer = tagged(request_with(shown), b"{}", TAG)
    assert (answer.status_code, answer.body, answer.headers["etag"]) == (304, b"", TAG)


@pytest.mark.parametrize("shown", ["", '"x"', TAG.strip('"')])
def test_a_body_with_another_tag_is_sent(shown: str) -> None:
    answer = tagged(request_with(shown), b"{}", TAG)
    assert (answer.status_code, answer.body, answer.headers["etag"]) == (200, b"{}", TAG)


def test_no_more_tags_are_compared_than_the_limit_says() -> None:
    others = ['"x"'] * (Limits.tags - 1)
    assert has_already(request_with(",".join([*others, TAG])), TAG)
    assert not has_already(request_with(",".join([*others, '"x"', TAG])), TAG)
    assert not has_already(request_with("," * 60_000 + TAG), TAG)


def test_a_proxy_may_weaken_the_tag_of_any_answer(client: TestClient) -> None:
    for path in ("/map/data", "/api/v1/map", "/api/v1/items/1"):
        weak = f"W/{client.get(path).headers['etag']}"
        assert client.get(path, headers={"If-None-Match": weak}).status_code == 304
