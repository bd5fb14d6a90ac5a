"""The pages as forms without scripts see them: every change is a form and an answer."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from clients import client_of
from small_models import SCRIPT, save_small, small_interactions, small_ratings
from starlette.testclient import TestClient

from tastemap.data.feedback import Source
from tastemap.data.ratings import Ratings
from tastemap.jobs.import_ratings import ratings_of_file
from tastemap.models.registry import load_model
from tastemap.serve.web.templating import HERE

STORE_NOTICE = "Your ratings cannot be had just now. Please come back in a moment."
PAGES = ("/", "/items/2", "/map", "/you", "/together", "/model")


def token(client: TestClient, address: str = "/") -> str:
    """The CSRF token of this person's forms."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(address).text)
    assert found is not None
    return found[1]


def rate(client: TestClient, item: int, rating: float, address: str = "/") -> str:
    form = {"csrf": token(client), "item": str(item), "rating": str(rating)}
    answer = client.post(address, data=form)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize("address", PAGES)
def test_each_page_opens_is_small_and_refers_to_nothing_elsewhere(
    client: TestClient, address: str
) -> None:
    rate(client, 3, 5)
    answer = client.get(address)
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) < 12_000, "as it is sent: compressed"
    assert len(answer.content) < 160_000
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    fetched = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', answer.text)
    assert fetched
    for one in fetched:
        assert one.startswith("/")
        assert client.get(one).status_code == 200, one
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*src=)", answer.text)


def test_titles_are_text_wherever_they_stand(client: TestClient) -> None:
    rate(client, 1, 5)
    for address in (*PAGES, "/items/1", "/?q=script", f"/?q={SCRIPT}", "/map/card/1"):
        text = client.get(address).text
        assert "<script>alert" not in text, address
    assert "&lt;script&gt;alert" in client.get("/items/1").text


def test_every_card_has_the_cover_of_its_item(client: TestClient) -> None:
    page = client.get("/").text
    covers = re.findall(r'data-item="\d+"><svg class="cover"[^>]* aria-label="Cover: ', page)
    assert len(covers) == page.count('class="card"') > 8


def test_a_rating_changes_the_picks_in_the_same_request(client: TestClient) -> None:
    before = client.get("/").text
    assert "everybody’s ratings" in before
    after = rate(client, 3, 5)
    assert "Top picks for you" in after
    assert "<b>1</b> rated" in after


def test_a_rating_is_set_changed_and_taken_back(client: TestClient) -> None:
    rate(client, 3, 5)
    rate(client, 3, 2, "/items/3")
    assert "3," in (saved := client.get("/you/ratings.csv").text)
    assert len(saved.strip().splitlines()) == 2
    form = {"csrf": token(client), "item": "3", "remove": "1"}
    assert "<b>0</b> rated" in client.post("/you", data=form).text


def test_a_form_from_elsewhere_changes_nothing(client: TestClient) -> None:
    rate(client, 3, 5)
    for csrf in ("", "made-up"):
        answer = client.post("/", data={"csrf": csrf, "item": "4", "rating": "5"})
        assert answer.status_code == 403
        assert client.post("/you/forget", data={"csrf": csrf}).status_code == 403
    assert "<b>1</b> rated" in client.get("/").text


def test_one_person_sees_nothing_of_another(artifact: Path, tmp_path: Path) -> None:
    with client_of(artifact, tmp_path) as one, client_of(artifact, tmp_path) as other:
        rate(one, 3, 5)
        mine = token(one)
        assert "<b>0</b> rated" in other.get("/you").text
        other.get("/")
        assert other.post("/", data={"csrf": mine, "item": "3", "remove": "1"}).status_code == 403
        assert "<b>1</b> rated" in one.get("/you").text


def test_the_parts_of_a_reason_add_up_to_the_prediction(client: TestClient) -> None:
    rate(client, 3, 5)
    rate(client, 5, 1)
    text = client.get("/items/7").text
    parts = [float(value) for value in re.findall(r'data-contribution="([^"]+)"', text)]
    mine = [{"item_id": "3", "rating": 5}, {"item_id": "5", "rating": 1}]
    body = {"ratings": mine, "item_id": "7"}
    told = client.post("/api/v1/explain", json=body).json()
    assert len(parts) > 2
    assert sum(parts) == pytest.approx(told["prediction"]["predicted_rating"], abs=1e-3)


def test_search_and_filters(client: TestClient) -> None:
    assert "Nothing found for “zzzzzz”" in client.get("/?q=zzzzzz").text
    assert "found for “comedy”" in client.get("/?q=comedy").text
    for odd in ("year_from=abc", "min_ratings=-5", "novelty=nan", "novelty=9", "year_to=1e999"):
        assert client.get(f"/?{odd}").status_code == 200, odd
    assert 'name="diversity" min="0" max="1" step="0.1" value="0"' in client.get("/").text
    for slider, value in (("diversity=0.4", "0.4"), ("diversity=-3", "0"), ("diversity=7", "1")):
        assert f'max="1" step="0.1" value="{value}"' in client.get(f"/?{slider}").text


def test_an_export_is_reviewed_and_kept(client: TestClient) -> None:
    rate(client, 3, 5)
    rate(client, 5, 1)
    own = client.get("/you/ratings.csv").content
    csrf = token(client)
    client.post("/you/forget", data={"csrf": csrf, "sure": "1"})
    assert "<b>0</b> rated" in client.get("/").text
    files = {"file": ("ratings.csv", own, "text/csv")}
    page = client.post("/you/import", files=files, data={"csrf": token(client)}).text
    picks = re.findall(r'name="pick" value="([^"]+)" checked', page)
    assert len(picks) == 2
    answer = client.post("/you/import/keep", data={"csrf": token(client), "pick": picks})
    assert "2 ratings are kept" in answer.text
    assert client.get("/you/ratings.csv").content.splitlines()[1:] != []


@pytest.mark.parametrize(
    "content",
    [
        "item_id,rating\n1,400\n2,0\n3,4\n3,5\n4,good\n5,\nno such,5\n",
        "{title} = 4\nno such thing at all = 3\n{title} = 9\njust words\n",
    ],
)
def test_the_page_and_the_terminal_say_the_same_of_a_bad_file(
    client: TestClient, tmp_path: Path, content: str
) -> None:
    data = client.app.state.service.model.data
    path = tmp_path / "mine.csv"
    content = content.replace("{title}", data.items.titles[3])
    path.write_text(content)
    frame, notes = ratings_of_file(path, data)
    files = {"file": (path.name, content.encode(), "text/csv")}
    page = client.post("/you/import", files=files, data={"csrf": token(client)}).text
    picks = re.findall(r'name="pick" value="([^"]+)" checked', page)
    values = ("seen" if rating is None else f"{rating:g}" for rating in frame["rating"])
    assert picks == [
        f"{value} {item}" for value, item in zip(values, frame["item_id"], strict=True)
    ]
    said = [*re.findall(r'<p class="note">([0-9][^<]*)</p>', page)]
    assert said == notes[1:]
    assert len(said) >= 3


def test_no_cell_of_the_export_is_a_formula(tmp_path: Path) -> None:
    ratings = small_ratings()
    titles = ['=HYPERLINK("x")', *ratings.item_table["title"][1:]]
    table = ratings.item_table.with_columns(title=pl.Series(titles))
    named = Ratings.from_frame(ratings.to_frame(), item_table=table)
    with client_of(save_small(named, tmp_path / "model"), tmp_path) as client:
        rate(client, 1, 5)
        cells = client.get("/you/ratings.csv").text.splitlines()[1]
    assert cells.startswith("""1,"'=HYPERLINK(""x"")",""")


def test_a_file_that_is_no_export_is_a_page_that_says_so(client: TestClient) -> None:
    files = {"file": ("cat.png", b"\x89PNG", "image/png")}
    answer = client.post("/you/import", files=files, data={"csrf": token(client)})
    assert answer.status_code == 422
    assert "cannot be read" in answer.text


def test_picks_for_a_group_have_a_reason_for_each(client: TestClient) -> None:
    rate(client, 3, 5)
    titles = client.get("/you/ratings.csv").text.splitlines()[1].split(",")[1]
    form = {"name": ["Ada", ""], "list": [f"{titles} = 1", "no such film = 5"], "you": "1"}
    for method in ("least_misery", "average"):
        text = client.post("/together", data=form | {"method": method}).text
        assert "Ada" in text
        assert "Not read: no such film" in text
        assert text.count('class="picks"') == 1


def test_the_page_of_what_nobody_has_rated_says_so(bayes_artifact: Path, tmp_path: Path) -> None:
    with client_of(bayes_artifact, tmp_path) as client:
        assert "New here" in client.get("/").text
        text = rate(client, 2, 5)
        assert "from facts alone: likely " in text
        assert "&lt;i&gt;Tears" in text
        page = client.get("/items/902").text
        assert "Nobody has rated this item yet: predictions of it follow from what is known" in page
        assert "nobody has rated it: from what is known of it" in page
        assert "Similar items" in page
        page = client.get("/items/903").text
        assert "counts as the average item" in page
        assert "Similar items" not in page
        assert "Nobody has rated" not in client.get("/items/2").text


def test_an_unknown_film_is_a_page_of_its_own(client: TestClient) -> None:
    answer = client.get("/items/no-such")
    assert answer.status_code == 404
    assert "Not here" in answer.text
    assert "text/html" in answer.headers["content-type"]


def test_what_the_map_asks_for(client: TestClient) -> None:
    rate(client, 3, 5)
    data = client.get("/map/data")
    assert (
        client.get("/map/data", headers={"If-None-Match": data.headers["etag"]}).status_code == 304
    )
    n = len(data.json()["id"])
    me = client.get("/map/me").json()
    assert len(me["predicted_rating"]) == n
    assert set(me["place"]) >= {"x", "y"}
    assert [data.json()["id"][at] for at in me["marked"]] == ["3"]
    columns = data.json()
    assert columns["genre_list"][columns["genres"][0][0]] == columns["genre"][0]
    near = client.get("/map/near/2").json()
    similarities = [value for _, value in near]
    assert similarities == sorted(similarities, reverse=True)


def test_errors_from_before_an_update_and_a_fit_that_was_stopped_say_so(
    artifact: Path, tmp_path: Path
) -> None:
    model = load_model(artifact)
    model.stopped_ = (7, 20)
    model.metrics_ = {"rmse": 0.9, "baseline_rmse": 0.95, "ratings_when_measured": 2990}
    with client_of(model.save(tmp_path / "model"), tmp_path) as client:
        text = client.get("/model").text
        assert client.get("/api/v1/model").json()["stopped"] == {"iterations": 7, "planned": 20}
    assert "7 of 20: its time was over" in text
    assert "fitted on 2,990 ratings, before it was updated" in text
    assert text.count("ratings when measured") == 0


def test_a_model_says_how_far_off_it_may_be_or_how_to_measure_it(
    artifact: Path, tmp_path: Path
) -> None:
    model = load_model(artifact)
    for metrics, says in (({}, False), ({"test_rmse": 0.9}, True)):
        model.metrics_ = metrics
        with client_of(model.save(tmp_path / "model"), tmp_path) as client:
            rate(client, 3, 5)
            assert ("give or take 0.90" in client.get("/items/2").text) is says
            assert ("-o MODEL --test-size 0.1</code>" in client.get("/model").text) is not says


@pytest.mark.parametrize("name", ["ease", "knn", "bias"])
def test_every_kind_of_model_has_its_pages(tmp_path: Path, name: str) -> None:
    model = save_small(small_ratings(), tmp_path / "model", name)
    with client_of(model, tmp_path) as client:
        rate(client, 3, 5)
        for address in PAGES:
            assert client.get(address).status_code == 200, address


def test_a_model_with_a_distribution_shows_it(tmp_path: Path) -> None:
    model = save_small(small_ratings(), tmp_path / "model", "bayes")
    with client_of(model, tmp_path) as client:
        rate(client, 3, 5)
        text = client.get("/items/2").text
        (shown,) = re.findall(r'aria-label="Your rating, by the model: ([^"]+)"', text)
        shares = [int(share) for share in re.findall(r": (\d+) %", shown)]
        assert len(shares) == 5
        assert 97 <= sum(shares) <= 103
        assert "give or take" not in text


def test_whose_ratings_cannot_be_had_is_told_so_on_a_page(
    client: TestClient, tmp_path: Path
) -> None:
    rate(client, 3, 5)
    csrf = token(client)
    file = tmp_path / "ratings.db"
    file.rename(tmp_path / "aside")
    for address in ("/", "/items/2", "/map", "/together", "/model"):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert STORE_NOTICE in answer.text
        assert "<b>–</b> rated" in answer.text
    for answer in (
        client.get("/you"),
        client.get("/you/ratings.csv"),
        client.post("/", data={"csrf": csrf, "item": "4", "rating": "5"}),
        client.post("/you/forget", data={"csrf": csrf}),
    ):
        assert answer.status_code == 503
        assert "<h1>Not just now</h1>" in answer.text
        assert int(answer.headers["Retry-After"]) > 0
    (tmp_path / "aside").rename(file)
    client.app.state.service.profiles.store.probe()
    rate(client, 4, 5)
    assert STORE_NOTICE not in client.get("/").text
    assert "<b>2</b> rated" in client.get("/you").text


@pytest.mark.parametrize(
    ("address", "form", "number"),
    [
        ("/", {"item": "x" * 501, "rating": "5"}, "500"),
        ("/", {"item": "1", "rating": "5" * 301}, "300"),
        (f"/items/{'x' * 501}", {}, "500"),
        ("/together", {"name": ["x"] * 7, "list": [""] * 7}, "6"),
        ("/together", {"name": "Ada", "list": "a = 5\n" * 2001}, "2000"),
        ("/together", {"name": "Ada", "list": "a" * 200_001}, "200000"),
        ("/together", {f"field {n}": "" for n in range(31)}, "30"),
        ("/you/import/keep", {"pick": ["5 1"] * 5001}, "5000"),
        ("/you/import/keep", {"pick": "5 " + "1" * 801}, "800"),
    ],
)
def test_a_form_over_a_limit_is_a_page_that_says_the_number(
    client: TestClient, address: str, form: dict[str, object], number: str
) -> None:
    answer = client.post(address, data={"csrf": token(client)} | form)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"].startswith("text/html")
    message = re.search(r"<h1>.*?<p[^>]*>(.*?)</p>", answer.text, re.DOTALL)[1]
    assert number in message
    assert not re.search("String|Body|Path|Query", message)


def test_an_export_of_many_ratings_can_be_kept_at_once(client: TestClient) -> None:
    picks = ["5 1"] * 4999 + ["4 2"]
    answer = client.post("/you/import/keep", data={"csrf": token(client), "pick": picks})
    assert "2 ratings are kept" in answer.text


@pytest.fixture(scope="module")
def jokes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a model of jokes without titles, rated on a scale without steps."""
    ratings = small_ratings().to_frame()
    spread = np.random.default_rng(0).uniform(-0.9, 0.9, len(ratings)).round(3)
    frame = ratings.with_columns(rating=4.5 * (pl.col("rating") - 3) + spread)
    folder = tmp_path_factory.mktemp("jokes")
    data = Ratings.from_frame(frame, source=Source("wit", noun="joke"))
    with client_of(save_small(data, folder / "model"), folder) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/items/3", "/you", "/map", "/together", "/model", "/items/none"]
)
def test_pages_speak_of_what_is_rated(jokes: TestClient, path: str) -> None:
    page = jokes.get(path).text
    assert re.search(r"\bfilms?\b", page, re.IGNORECASE) is None
    assert re.search(r"\bjokes?\b", page, re.IGNORECASE)


def test_items_without_titles_are_searched_and_shown_by_id(jokes: TestClient) -> None:
    page = jokes.get("/?q=12").text
    assert "Search by id" in page
    assert 'placeholder="id"' in page
    assert "From year" not in page
    assert '<a href="/items/12">joke 12</a>' in page
    assert "<h1>joke 12</h1>" in jokes.get("/items/12").text


def test_a_scale_without_steps_is_rated_by_a_number_within_its_ends(jokes: TestClient) -> None:
    page = jokes.get("/items/12").text
    scale = jokes.app.state.service.model.scale
    lowest, highest = scale.lowest, scale.highest
    ends = f'type="number" name="rating" min="{lowest:g}" max="{highest:g}" step="any"'
    assert ends in page
    assert f"−{-lowest:g} to {highest:g}" in page
    rate(jokes, 12, -3.25)
    assert 'value="-3.25"' in jokes.get("/items/12").text
    form = {"csrf": token(jokes), "item": "12", "rating": f"{highest + 1}"}
    assert jokes.post("/items/12", data=form).status_code == 422
    own = jokes.get("/you/ratings.csv").content
    files = {"file": ("ratings.csv", own, "text/csv")}
    review = jokes.post("/you/import", files=files, data={"csrf": token(jokes)}).text
    assert re.findall(r'name="pick" value="([^"]+)" checked', review)[0].startswith("-3.25@")


def test_no_page_and_no_script_has_a_noun_of_its_own() -> None:
    files = [*(HERE / "templates").iterdir(), *(HERE / "static").iterdir()]
    said = [
        line
        for file in files
        if file.suffix != ".png"
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"\b[Ff]ilms?\b(?!:)", line)
    ]
    assert not said


@pytest.fixture(scope="module")
def likes(clicks_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Somebody who likes two films and is not interested in a third, on a model of clicks."""
    with client_of(clicks_artifact, tmp_path_factory.mktemp("likes")) as client:
        for item, weight in ((3, 1), (12, 1), (5, -1)):
            rate(client, item, weight)
        yield client


@pytest.mark.parametrize("path", [*PAGES, "/items/3", "/?q=comedy", "/map/card/2", "/items/none"])
def test_pages_of_clicks_speak_of_no_ratings_and_predict_none(likes: TestClient, path: str) -> None:
    page = likes.get(path).text
    main = page.partition("<main")[2] or page
    # Of ratings that somebody brings from elsewhere, the page may speak.
    main = re.sub(r'<svg class="cover".*?</svg>', "", main)
    shown = re.sub(r"<[^>]+>", " ", main).replace("an export of ratings, whose high ratings", "")
    shown = shown.replace("DROP TABLE ratings", "")  # a title
    assert re.findall(r"(?i)[^.\n]*\b(?:ratings?|rated|stars?|predict\w*)\b.*", shown) == []
    assert 'class="stars' not in page
    assert "data-predicted" not in page


def test_the_page_of_a_film_says_how_known_it_is_where_it_stands_and_what_comes_next(
    likes: TestClient,
) -> None:
    page = likes.get("/items/2").text
    assert page.count('<svg class="cover"') == 1
    link = (
        r'<a href="https://www.imdb.com/find/[^"]*" rel="external noreferrer noopener">Search IMDb'
    )
    assert re.search(link, page)
    place = int(re.search(r'data-place="(\d+)"', page)[1])
    assert 1 <= place <= 77
    assert "of the 77 films that you have not marked" in page
    assert re.search(r"<dt>liked by</dt><dd>\d+ people</dd>", page)
    assert re.search(r"<dt>popularity</dt><dd>No. \d+ of 80</dd>", page)
    assert "What people go on to" in page
    assert "your latest" in page
    assert "2 places back" in page
    parts = [float(value) for value in re.findall(r'data-contribution="([^"]+)"', page)]
    score = likes.app.state.service.prediction({"3": 1.0, "12": 1.0}, "2").score
    assert sum(parts) == pytest.approx(score, rel=1e-4), "what is not wanted adds nothing"
    similar = [float(value) for value in re.findall(r'data-similarity="([^"]+)"', page)]
    assert similar[0] == 1


def test_picks_of_likes_have_their_reasons_and_few_know_the_last_row(likes: TestClient) -> None:
    page = likes.get("/").text
    assert "because you like" in page
    rows = re.split(r"<section", page)
    assert [re.search(r"<h2[^>]*>([^<]+)", row)[1] for row in rows[1:]] == [
        *("Top picks for you", "Because you liked Drama 12", "Hidden gems", "Popular")
    ]
    tail = likes.app.state.service.model.catalogue.popularity_of_tail
    assert all(int(n) <= tail for n in re.findall(r"(\d+) (?:people|person)\b", rows[3]))
    for title in ("Comedy 3", "Drama 12", "Comedy 5"):
        assert f">{title}</a>" not in page, "what is marked is in no row"


def test_a_group_of_lists_without_ratings(likes: TestClient) -> None:
    form = {"name": ["Ada", "Bo"], "list": ["Comedy 7\nnone such", "9\n"], "method": "average"}
    page = likes.post("/together", data=form).text
    assert "For Ada, Bo" in page
    assert "Not read: none such" in page
    assert re.search(r"above \d+(\.\d+)? % of all", page)


def test_a_model_that_is_the_same_for_all_says_so(tmp_path: Path) -> None:
    model = save_small(small_interactions(), tmp_path / "model", "popularity")
    with client_of(model, tmp_path) as client:
        for page in (client.get("/").text, rate(client, 3, 1)):
            assert "This model suggests the same films to everybody." in page
            assert page.count("<section") == 1
        assert "data-place" not in client.get("/items/2").text
        assert client.app.state.service.explain({"3": 1.0}, "2").parts == []


def test_the_map_and_the_scores_of_a_model_of_plays(tmp_path: Path) -> None:
    """Its likes weigh what an item without a weight does."""
    clicks = small_interactions()
    plays = clicks.replaced(weight=np.where(clicks.weight > 0, clicks.item_index + 1, -1.0))
    model = load_model(save_small(plays, tmp_path / "small", "ials"))
    ids = clicks.items.ids
    places = pl.DataFrame({"item_id": ids, "x": range(len(ids)), "y": range(len(ids))})
    model.item_map_ = places.cast({"x": pl.Float64, "y": pl.Float64})
    model.metrics_ = {"ndcg": 0.25, "baseline_ndcg": 0.125}
    with client_of(model.save(tmp_path / "model"), tmp_path) as client:
        rate(client, 3, 1)
        data, me = client.get("/map/data").json(), client.get("/map/me").json()
        assert data["average_rating"] == [None] * len(ids)
        assert (me["n_marked"], me["predicted_rating"]) == (1, None)
        assert set(me["place"]) >= {"x", "y"}
        page = client.get("/model").text
        assert all(shown in page for shown in ("0.2500", "0.1250", "most popular", "−1 to 80"))
        profiles = list(client.app.state.service.profiles.store.everything())
        assert [mark.rating for *_, profile in profiles for mark in profile.ratings] == [
            plays.median_weight
        ]
