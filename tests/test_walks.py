"""The walks of docs/architecture.md: made, and compared with what the page says."""

from collections import Counter

import pytest

import walks
from walks import WALKS, Step


@pytest.fixture(scope="module", params=WALKS)
def walk(request: pytest.FixtureRequest) -> tuple[str, list[Step], list[Step]]:
    """The name of a walk, the functions that it passes, and those that the page names."""
    name = request.param
    return name, walks.walk(name), walks.told(name)


def shown(passed: list[Step]) -> str:
    """A walk as it was made: each function where it is first passed, none that stands in one."""
    return "\nThe walk: " + "\n".join(str(s) for s in dict.fromkeys(passed) if "<" not in str(s))


def test_the_page_names_functions_in_the_order_they_are_passed(
    walk: tuple[str, list[Step], list[Step]],
) -> None:
    name, passed, told = walk
    assert told, f"the page has no numbered list for {name}"
    rest = iter(passed)
    for n, step in enumerate(told):
        assert step in rest, (
            f"{name}, step {n + 1}: {step} is "
            + ("passed earlier than the page says" if step in passed else "not passed")
            + shown(passed)
        )


def test_no_module_is_passed_that_the_page_does_not_name(
    walk: tuple[str, list[Step], list[Step]],
) -> None:
    name, passed, told = walk
    unnamed = {step.module: str(step) for step in passed[::-1]}
    for step in told:
        unnamed.pop(step.module, None)
    assert not unnamed, f"{name} also passes {', '.join(unnamed.values())}{shown(passed)}"


def test_a_put_passes_at_most_five_folders_and_each_door_once() -> None:
    """One look-up of the item, one write, one read: the page's functions are each called once."""
    passed, told = walks.walk("PUT"), walks.told("PUT")
    folders = {step.module.rpartition(".")[0] for step in passed}
    assert len(folders) <= 5, sorted(folders)
    calls = Counter(passed)
    again = {str(step): calls[step] for step in told if calls[step] > 1}
    assert not again, again
