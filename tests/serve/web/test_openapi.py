"""The service against its own OpenAPI document, with requests that Schemathesis makes up."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from clients import client_of
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from small_models import save_small, small_interactions, text_ratings

from tastemap.serve.web import api, health

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# An id in a path is one segment, and these are no ids that can be sent in one.
UNSENDABLE = {"", ".", ".."}


def document() -> schemathesis.BaseSchema:
    """The document of the routes, which is the same whatever the model is."""
    app = FastAPI()
    for router in (health.router, *api.routers):
        app.include_router(router)
    return schemathesis.openapi.from_dict(app.openapi())


OPERATIONS = [result.ok() for result in document().get_all_operations()]
# Wrong requests too, where there is something in them that can be wrong.
CASES = [
    (operation, mode)
    for operation in OPERATIONS
    for mode in GenerationMode
    if mode.is_positive or operation.path.startswith("/api/v1")
]
KNOWN = {"item_id": ["a/b", "50%", "nul\0", "item 12"], "user_id": ["user/3", "new"]}


@pytest.fixture(scope="module")
def clients(text_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Any]]:
    """One on a model of ratings, one on a model of interactions."""
    data, folder = small_interactions(text_ratings()), tmp_path_factory.mktemp("contract")
    clicks_artifact = save_small(data, folder / "clicks" / "model", "next-item")
    own = Path(shutil.copytree(text_artifact, folder / "model"))  # items are put into it
    of_ratings = client_of(own, folder).app
    of_interactions = client_of(clicks_artifact, folder / "clicks", event_weights={"view": 1.0}).app
    with asgi.get_client(of_ratings) as first, asgi.get_client(of_interactions) as second:
        yield [first, second]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "mode"), CASES, ids=lambda one: str(getattr(one, "label", one))
)
def test_every_answer_is_documented(
    operation: schemathesis.APIOperation, mode: GenerationMode, clients: list[Any]
) -> None:
    @settings(
        max_examples=20,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if UNSENDABLE & set(map(str, (case.path_parameters or {}).values())):
            return
        if mode.is_positive and data.draw(st.booleans()):
            with_known_ids(case.path_parameters, data, in_path)
            with_known_ids(case.body, data, str)
        client = data.draw(st.sampled_from(clients))
        response = case.call(app=client.app, session=client, base_url="http://127.0.0.1")
        case.validate_response(response, checks=CHECKS)

    ask()


def in_path(one_id: str) -> str:
    """An id as it stands in a path."""
    return quote(one_id, safe="")


def with_known_ids(part: Any, data: st.DataObject, write: Callable[[str], str]) -> None:
    """Put ids that the model knows in the place of those made up, and ratings of its scale."""
    if isinstance(part, list):
        for one in part:
            with_known_ids(one, data, write)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name in KNOWN:
                part[name] = write(data.draw(st.sampled_from(KNOWN[name])))
            elif name == "history" and value:
                part[name] = data.draw(st.permutations(KNOWN["item_id"]))
            elif name == "rating":
                part[name] = data.draw(st.integers(1, 5))
            else:
                with_known_ids(value, data, write)


def test_the_reference_lists_every_route_and_loads_nothing_from_elsewhere(
    artifact: Path, tmp_path: Path
) -> None:
    made = client_of(artifact, tmp_path)
    document, page = made.get("/openapi.json").json(), made.get("/docs")
    listed = {(m.upper(), path) for path, ms in document["paths"].items() for m in ms}
    assert len(listed) == 30
    for _, path in listed:
        assert f"<code>{path}</code>" in page.text
    assert "//" not in page.text.replace("http://127.0.0.1", "")
    assert made.get("/docs/style.css").headers["content-type"].startswith("text/css")
