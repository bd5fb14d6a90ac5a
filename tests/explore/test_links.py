"""Links lead to the item, or to a search; never anywhere that the data says."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.explore.links import SITES, link_rules, links_of


def test_ids_of_the_data_lead_to_pages() -> None:
    facts = {"imdb_id": "0114709", "tmdb_id": "862.0"}
    addresses = dict(links_of("film", "Toy Story", 1995, facts))
    assert addresses == {
        "IMDb": "https://www.imdb.com/title/tt0114709/",
        "TMDb": "https://www.themoviedb.org/movie/862",
    }
    assert links_of("film", "", None, {"imdb_id": "tt12"})[0].address.endswith("/tt0000012/")
    assert links_of("book", "", None, {}, "0-19-515344-8")[0].address.endswith("/0195153448")


@pytest.mark.parametrize("written", ["862/../x", "javascript:1", "", None, "１２", "9" * 20, "8X"])
def test_what_is_no_id_leads_to_a_search(written: object) -> None:
    links = links_of("film", "Toy Story (Woody)", 1995, {"imdb_id": written, "tmdb_id": written})
    assert [link.text for link in links] == ["Search IMDb", "Search TMDb"]
    assert parse_qs(urlsplit(links[0].address).query)["q"] == ["Toy Story 1995"]
    assert links_of("film", "", None, {"imdb_id": "x"}) == []


@given(st.text(max_size=30), st.sampled_from([*SITES]), st.text(max_size=12))
def test_links_stay_on_the_sites(name: str, noun: str, written: str) -> None:
    facts = {site["column"]: written for site in link_rules(noun)}
    hosts = {urlsplit(site.search).netloc for site in SITES[noun]}
    for link in links_of(noun, name, None, facts, written):
        address = urlsplit(link.address)
        assert (address.scheme, address.fragment) == ("https", "")
        assert address.netloc in hosts
        assert link.address.isascii()


def test_a_noun_that_no_site_knows_has_no_links() -> None:
    assert links_of("joke", "A man walks into a bar", None, {}) == link_rules("joke") == []
