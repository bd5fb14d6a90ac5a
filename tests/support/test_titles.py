"""Titles are said as people say them, and nothing of them is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.support.titles import ARTICLES, spoken, spoken_all

SPOKEN = {
    "Shawshank Redemption, The": "The Shawshank Redemption",
    "Postino, Il (1994)": "Il Postino (1994)",
    "Seven (a.k.a. Se7en) (1995)": "Seven (a.k.a. Se7en) (1995)",
    "Cité des enfants perdus, La (City of Lost Children, The) (1995)": (
        "La Cité des enfants perdus (The City of Lost Children) (1995)"
    ),
    "Enfer, L' (a.k.a. Hell, The)": "L'Enfer (a.k.a. The Hell)",
    "Good, the Bad and the Ugly, The (Buono, il brutto, il cattivo, Il)": (
        "The Good, the Bad and the Ugly (Il Buono, il brutto, il cattivo)"
    ),
    "Tin Drum, The (Blechtrommel, Die)": "The Tin Drum (Die Blechtrommel)",
    "Black Sabbath (Tre Volti Della Paura, I)": "Black Sabbath (I Tre Volti Della Paura)",
    "Convent, The (Convento, O)": "The Convent (O Convento)",
    "Seventh Seal, The (Sjunde inseglet, Det)": "The Seventh Seal (Det Sjunde inseglet)",
    "Fish Called Wanda, A": "A Fish Called Wanda",
    "Witte, De": "De Witte",
}
AS_THEY_ARE = (
    *("Girl, Interrupted", "Plan A", "You, I", "Eat, Sleep, Die", "Truth or Consequences, N.M."),
    *("Me, Myself, I", "Corrina, Corrina", "Little Indian, Big City", "the end, the", ", The", ""),
    *("Do, Re, Mi, A", "301, 302", "Love, etc.", "Vitamin A, B, A", "The The", "), The"),
)


@pytest.mark.parametrize(("title", "name"), SPOKEN.items())
def test_the_article_stands_in_front(title: str, name: str) -> None:
    assert spoken(title) == name


@pytest.mark.parametrize("title", AS_THEY_ARE)
def test_other_words_after_a_comma_stay(title: str) -> None:
    assert spoken(title) == title


_words = st.text(st.sampled_from("aiZé1'. -&"), min_size=1, max_size=8)
_ends = st.sampled_from(["", *(f", {article.capitalize()}" for article in sorted(ARTICLES))])
_parts = st.tuples(_words, _ends).map("".join)
_titles = st.lists(_parts, min_size=1, max_size=3).map(" (".join) | st.text(max_size=40)


@given(_titles)
def test_no_word_is_lost_and_nothing_is_said_twice(title: str) -> None:
    name = spoken(title)
    assert sorted(name.replace(",", "").replace(" ", "")) == sorted(
        title.replace(",", "").replace(" ", "")
    )
    assert spoken(name) == name


@given(_words, _ends)
def test_what_has_no_comma_is_as_it_was(words: str, end: str) -> None:
    assert spoken(words) == words
    if end and words.strip():
        assert spoken(words + end).startswith(words[: len(words) - len(words.lstrip())] + end[2:])


def test_what_is_missing_is_nothing() -> None:
    assert spoken_all(["Boot, Das", None, ""]) == ["Das Boot", "", ""]
