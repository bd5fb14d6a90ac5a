"""Print how much there is to find one's way through: the measures of each folder, by its imports.

python docs/measure.py                  those of this checkout
python docs/measure.py OTHER/src        those of another one beside them

A folder's own files and each of its subfolders count as one. Files: how many. Layers: the longest
chain of imports. Ties: the pairs of which one imports the other. Circles: the groups that import
each other.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import house  # noqa: E402 - it lies beside the tests that use it


def table(source: Path) -> str:
    """The measures of each folder of a source tree, as a table of Markdown."""
    lines = [f"| folder | {' | '.join(house.Measures._fields)} |", f"|---|{'--:|' * 4}"]
    for folder, numbers in house.measures(source).items():
        if not numbers.files:
            continue  # the migrations, which nothing imports
        path = "/".join(["tastemap", *folder.split(".")]).rstrip("/")
        lines.append(f"| `{path}` | {' | '.join(map(str, numbers))} |")
    return "\n".join(lines)


def main() -> None:
    """Print a table for each source tree."""
    others = [Path(word) / "tastemap" for word in sys.argv[1:]]
    print("\n\n".join(table(source) for source in [*others, house.SOURCE]))  # noqa: T201


if __name__ == "__main__":
    main()
