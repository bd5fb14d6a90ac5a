"""Spellings of titles: what is one and the same, and what is another."""

import pytest

from tastemap.explore.imports.titles import Kind, is_typing_slip, spelling, spellings

SAME = [
    ("Twelve Monkeys", "12 Monkeys"),
    ("Twenty Thousand Leagues Under the Sea", "20,000 Leagues Under the Sea"),
    ("One Hundred and One Dalmatians", "101 Dalmatians"),
    ("Two Thousand and One", "2001"),
    ("Twenty-One Grams", "21 Grams"),
    ("Nine to Five", "9 to 5"),
    ("Rocky IV", "Rocky 4"),
    ("Godfather: Part II, The", "The Godfather Part 2"),
    ("Kill Bill: Vol. 1", "Kill Bill Volume One"),
    ("8½", "8 1/2"),
    ("Alien³", "Alien 3"),
    ("Romeo + Juliet", "Romeo & Juliet"),
    ("WALL·E", "Wall-E"),
    ("Léon", "LEON"),
    ("Avventura, L'", "L’avventura"),
    ("Doctor Zhivago", "Dr. Zhivago"),
    ("Three Colours: Blue", "Three Colors: Blue"),
]
OTHERS = [
    ("Rocky II", "Rocky III"),
    ("Alien", "Aliens"),
    ("Twenty", "Twenty-One"),
    ("One, Two, Three", "Six"),
    ("The Others", "Others and"),
]


@pytest.mark.parametrize(("title", "other"), SAME)
def test_ways_to_write_a_title_are_one_spelling(title: str, other: str) -> None:
    assert spelling(title) == spelling(other)


@pytest.mark.parametrize(("title", "other"), OTHERS)
def test_other_titles_are_other_spellings(title: str, other: str) -> None:
    assert not spellings(title).keys() & spellings(other).keys()


@pytest.mark.parametrize(
    ("title", "name", "kind"),
    [
        (
            "City of Lost Children, The (Cité des enfants perdus, La)",
            "La cité des enfants perdus",
            1,
        ),
        ("Léon: The Professional (a.k.a. The Professional) (Léon)", "The Professional", 1),
        ("Seven a.k.a. Se7en", "Se7en", 1),
        ("Se7en", "Seven", 1),
        ("Die Hard", "Die Hard", 0),
        ("Star Wars: Episode IV - A New Hope", "Star Wars", 2),
        ("Star Wars: Episode IV - A New Hope", "Star Wars: A New Hope", 1),
        ("Wallace & Gromit: The Wrong Trousers", "The Wrong Trousers", 2),
        ("Monty Python's Life of Brian", "Life of Brian", 2),
        ("Dr. Strangelove or: How I Learned to Stop Worrying", "Dr. Strangelove", 2),
        ("Robin Hood: Prince of Thieves", "Robin Hood", 3),
        ("Three Colors: Blue", "Blue", 3),
    ],
)
def test_how_much_a_name_tells(title: str, name: str, kind: int) -> None:
    assert spellings(title)[spelling(name)] == Kind(kind)


def test_a_number_in_brackets_or_alone_is_no_name() -> None:
    assert list(spellings("Titanic (II)")) == ["titanic", "titanic2"]
    assert spelling("1") not in spellings("Kill Bill: Vol. 1")
    assert spelling("Kill Bill") not in spellings("Kill Bill: Vol. 1"), "another has it, too"
    assert spellings("") == spellings("()") == {}


def test_an_original_title_is_another_name() -> None:
    assert spellings("The Postman", "Il postino")[spelling("Postino, Il")] == Kind.ALIAS


@pytest.mark.parametrize(
    ("text", "title", "is_slip"),
    [
        ("Star Wrs", "Star Wars", True),
        ("Satr Wars", "Star Wars", True),
        ("The Godfathr", "Godfather, The", True),
        ("Alien", "Aliens", False),
        ("Dead Man", "Dead Man Walking", False),
        ("Rocky II", "Rocky III", False),
        ("Star Wars", "Star Wars", False),
        ("Up", "Us", False),
    ],
)
def test_slips_of_a_letter(text: str, title: str, is_slip: bool) -> None:
    assert is_typing_slip(text, title) == is_slip
