"""Damaged bytes for Hypothesis: pieces of good files, cut, repeated, and mixed with odd ones.

An example is JSON, so that a failing one is kept as a small file that a person can read. Its bytes
are a list of pieces: text in Latin-1, or text and how often it is repeated.
"""

import re
from typing import Any, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Pieces: TypeAlias = list[str | list[Any]]
# Words that mean something to one reader or another, and the ends of what numbers can be.
NUMBERS = ["0", "-1", "4.5", "007", "+7", "-0", "1e400", "1e20", "nan", "-inf", "1_0", "٣", "0x1F"]
NUMBERS += ["2147483648", "9223372036854775808", "20240531", "1970-01-01", "31/05/2024", "4,5"]
TEXTS = [
    "",
    " ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\0",
    '"',
    '""',
    "'",
    "\\",
    ",",
    ";",
    "::",
    "|",
    "(",
    ")",
]
TEXTS += [
    "[",
    "{",
    "}",
    "=",
    "%",
    "&",
    "é",
    "\ufeff",
    "\u2028",
    "\ud7ff",
    "☃",
    "=1+1",
    "null",
    "{}",
]
BYTES = ["\x00", "\x1f\x8b", "PK\x03\x04", "PAR1", "ARROW1", "\xff\xfe", "\x80", "\xff"]
ODD = [text.encode().decode("latin-1") for text in NUMBERS + TEXTS] + BYTES
# A long run of one of these shows what takes more time than it should.
RUNS, MAX_RUN = (
    [" ", "\t", "\n", ",", ";", "(", "[", '"', "=", "0", "a", "\xc3\xa9", "%", "\\"],
    70_000,
)
MAX_EDITS = 5


def joined(pieces: Pieces) -> bytes:
    """The bytes that pieces stand for."""
    texts = (piece if isinstance(piece, str) else piece[0] * piece[1] for piece in pieces)
    return "".join(texts).encode("latin-1")


def whole(content: bytes) -> Pieces:
    """A good file as one piece."""
    return [content.decode("latin-1")]


def recut(pieces: Pieces) -> Pieces:
    """The same in smaller pieces: words, and what stands between them."""
    parts: Pieces = []
    for piece in pieces:
        parts += re.findall(r"\w+|\s|[^\w\s]+", piece) if isinstance(piece, str) else [piece]
    return parts


def compact(pieces: Pieces) -> Pieces:
    """The same bytes in fewer pieces, for a file."""
    texts: Pieces = []
    for piece in pieces:
        if isinstance(piece, str) and texts and isinstance(texts[-1], str):
            texts[-1] += piece
        else:
            texts.append(piece)
    return texts


def odd(words: list[str]) -> SearchStrategy[Any]:
    """A piece that is seldom good: one of some words, or one that any reader may stumble on."""
    texts = st.sampled_from(words + ODD) | st.text(st.characters(max_codepoint=255), max_size=4)
    runs = st.tuples(st.sampled_from(RUNS), st.sampled_from([2, 100, MAX_RUN])).map(list)
    return st.integers(0, 5).flatmap(lambda chance: texts if chance else runs)


@st.composite
def damaged(draw: st.DrawFn, good: SearchStrategy[Pieces], words: list[str]) -> Pieces:
    """A good file after a few edits, none of which need make it bad."""
    pieces = recut(draw(good))
    for _ in range(draw(st.integers(0, MAX_EDITS))):
        start = draw(st.integers(0, len(pieces)))
        end = min(len(pieces), start + draw(st.integers(0, 3)))
        kind = draw(st.sampled_from(["insert", "replace", "delete", "double", "truncate"]))
        if kind == "insert":
            pieces.insert(start, draw(odd(words)))
        elif kind == "replace":
            pieces[start:end] = [draw(odd(words))]
        elif kind == "delete":
            del pieces[start:end]
        elif kind == "double":
            pieces[start:start] = pieces[start : start + 20]
        else:
            del pieces[start:]
    return compact(pieces)


def any_json(leaves: SearchStrategy[Any], keys: list[str]) -> SearchStrategy[Any]:
    """JSON of any shape, with keys that its reader looks for."""
    names = st.sampled_from(keys) | st.text(max_size=3)
    odd_leaves = st.sampled_from(
        [
            None,
            True,
            0,
            -1,
            2**31,
            2**63,
            2**70,
            1e308,
            float("nan"),
            float("inf"),
            "",
            "\0",
            "\ud800",
        ]
    )
    return st.recursive(
        leaves | odd_leaves | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
        max_leaves=6,
    )
