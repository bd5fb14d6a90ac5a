"""Pages from templates: text stays text, and a name that is not given is an error."""

import pytest
from jinja2 import UndefinedError
from starlette.testclient import TestClient

from tastemap.data.scale import Scale
from tastemap.serve.web.rendering import along, plain, signed, templates


def test_what_a_template_is_given_is_text() -> None:
    template = templates().from_string("<p>{{ title }}</p>")
    assert template.render(title="<b>") == "<p>&lt;b&gt;</p>"
    with pytest.raises(UndefinedError):
        template.render()


def test_numbers_as_they_are_written() -> None:
    assert [plain(value) for value in (4.0, 3.5)] == ["4", "3.5"]
    assert [signed(value, 1) for value in (0.25, -1.0, 0.0)] == ["+0.2", "−1.0", "+0.0"]
    assert [along(value, Scale(1, 5, 1)) for value in (1.0, 3.0, 5.0)] == [4.0, 50.0, 96.0]


def test_an_error_of_a_page_is_a_page_with_its_status(client: TestClient) -> None:
    answer = client.post("/", data={"item": "3", "rating": "5"})
    assert answer.status_code == 403
    assert "<h1>Once more, please</h1>" in answer.text
    assert "The form is too old: load the page again." in answer.text


def test_scripts_get_the_changed_page_and_browsers_are_sent_to_it(client: TestClient) -> None:
    csrf = client.get("/").text.split('name="csrf" value="')[1].split('"')[0]
    form = {"csrf": csrf, "item": "3", "rating": "5"}
    sent = client.post("/?q=drama", data=form, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/?q=drama")
    live = client.post("/", data=form, headers={"X-Live": "1"}, follow_redirects=False)
    assert live.status_code == 200
