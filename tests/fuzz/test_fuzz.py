"""Each target: what has been kept, then some seconds of new examples, the same in every run."""

from pathlib import Path

import pytest
from fuzzing import CORPUS, Run, Target, corpus, keep
from hypothesis import strategies as st
from pieces import compact, joined, recut, whole
from targets import TARGETS

from tastemap.errors import DataError

SECONDS = 4


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_damaged_input_gives_an_answer_or_an_error_of_ours(name: str) -> None:
    with TARGETS[name]() as target:
        run = Run(target)
        run.replay(CORPUS / name)
        run.fuzz(SECONDS)
    assert not run.faults
    assert run.n_examples > len([*corpus(name)])


def test_a_fault_is_noted_with_its_simplest_example_and_an_error_of_ours_is_none(
    tmp_path: Path,
) -> None:
    def read(number: int) -> None:
        if number > 500:
            raise DataError("number")
        if number > 100:
            raise ZeroDivisionError

    run = Run(Target(st.integers(0, 1000), read))
    run.fuzz(1)
    (kind,) = run.faults
    assert kind.startswith("ZeroDivisionError at test_fuzz.py:")
    assert run.faults[kind] == 101
    file = keep(run.faults[kind], tmp_path)
    with pytest.raises(ZeroDivisionError) as raised:
        run.replay(tmp_path)
    assert raised.value.__notes__ == [f"the example is {file}"]


def test_the_pieces_of_an_example_are_its_bytes() -> None:
    content = bytes(range(256)) + "a ☃ (1990)\r\n".encode()
    assert joined(whole(content)) == joined(recut(whole(content))) == content
    pieces = ["a", "b", ["c", 3], "d"]
    assert compact(pieces) == ["ab", ["c", 3], "d"]
    assert joined(pieces) == joined(compact(pieces)) == b"abcccd"
