"""Pages know who looks at them, and errors of pages are pages."""

from starlette.testclient import TestClient


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
