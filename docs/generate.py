"""Write what the pages take from the code: docs/cli.md, and the tables of CONTRIBUTING.md.

python docs/generate.py          writes them
python docs/generate.py --check  exits with 1 and one line if a page is not what it would write

The text depends on the code alone: not on a terminal, its width or its colours. The tables of
CONTRIBUTING.md are those of `tests/house.py`, which tests hold against the code.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer.main

from tastemap.cli import app

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "tests"))

import house  # noqa: E402 - it lies beside the tests that use it

COMMAND = "python docs/generate.py"
# What Typer adds by itself; said once, at the top of the page.
SHARED = {"--help", "--install-completion", "--show-completion"}

INTRODUCTION = f"""\
# The command line

<!-- Written by `{COMMAND}` from the commands themselves: change those, not this page. -->

Each command does one thing: it parses its words, makes one call of the library, and prints the
answer. `tastemap --help` lists the commands, `tastemap COMMAND --help` explains one.

- The answer goes to standard output; progress, notes and errors go to standard error.
- `--json` prints the answer as JSON instead of a table.
- `--debug` shows the traceback of an error; it may stand anywhere.
- `tastemap --install-completion` installs completion for your shell.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the job failed: a file that cannot be read, a model that is damaged, a full disk |
| 2 | the call was wrong: an unknown option, an unknown id, a value out of range |
| 130 | stopped with Ctrl-C |

What the errors mean stands in [errors.md](errors.md).

"""


def command_line() -> str:
    """The reference of the command line."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    rows = [f"| [`{name}`](#{name}) | {_first(command)} |" for name, command in commands.items()]
    contents = "\n".join(["| command | what it does |", "|---|---|", *rows])
    sections = [_section(name, command) for name, command in commands.items()]
    return f"{INTRODUCTION}## Commands\n\n{contents}\n\n" + "\n".join(sections)


def _section(name: str, command: Any) -> str:
    """One command: what it does, how it is called, its arguments and options."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [
        p
        for p in command.params
        if p.param_type_name == "option" and not SHARED & {*p.opts} and not p.hidden
    ]
    usage = " ".join([f"tastemap {name}", *map(_metavar, arguments), "[OPTIONS]"])
    parts = [f"## {name}\n\n{_text(command.help)}\n\n```text\n{usage}\n```\n"]
    if arguments:
        rows = [f"| `{_metavar(p)}` | {_text(p.help)} |" for p in arguments]
        parts.append("\n".join(["| argument | |", "|---|---|", *rows]) + "\n")
    kinds = _kinds(name)
    rows = [f"| {_names(p, kinds[p.name])} | {_text(p.help)} | {_default(p)} |" for p in options]
    parts.append("\n".join(["| option | | default |", "|---|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def _metavar(argument: Any) -> str:
    """An argument as it stands in a call: in brackets where it may be left out."""
    name = argument.name.upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _names(option: Any, kind: str) -> str:
    """The spellings of an option and, unless it is a switch, the kind of value it takes."""
    spellings = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return spellings if option.is_flag else f"{spellings} {kind}"


def _kinds(name: str) -> dict[str, str]:
    """What each parameter of a command takes: TEXT, INTEGER, NUMBER or PATH."""
    (callback,) = (
        command.callback
        for command in app.registered_commands
        if command.callback and name == (command.name or command.callback.__name__)
    )
    words = {"Path": "PATH", "int": "INTEGER", "float": "NUMBER"}
    return {
        parameter.name: next(
            (word for kind, word in words.items() if kind in _type_names(parameter.annotation)),
            "TEXT",
        )
        for parameter in inspect.signature(callback).parameters.values()
    }


def _type_names(annotation: Any) -> set[str]:
    """Names of the types in an annotation such as ``Annotated[Path | None, ...]``."""
    kind = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    return {part.__name__ for part in (kind, *get_args(kind)) if isinstance(part, type)}


def _default(option: Any) -> str:
    """The value that is used if the option is left out."""
    if option.required:
        return "required"
    if option.default is None or option.default is False or option.multiple:
        return ""
    return f"`{option.default}`"


def _first(command: Any) -> str:
    return _text(command.help)


def _text(text: str | None) -> str:
    """Help as one line of Markdown."""
    return re.sub(r"\s+", " ", inspect.cleandoc(text or "")).replace("|", "\\|").replace("``", "`")


# ---- the tables of CONTRIBUTING.md ----


def contributing(page: str) -> str:
    """CONTRIBUTING.md with its tables anew, each between two comments that name it."""
    for name, rows in {"layout": _layout, "imports": _imports, "habits": _habits}.items():
        begin, end = f"<!-- {name}: written by `{COMMAND}` -->", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        _, end_mark, after = rest.partition(end)
        if not end_mark:
            sys.exit(f"CONTRIBUTING.md has no {begin} before {end}")
        table = "\n".join(rows())
        page = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return page


def _layout() -> Iterator[str]:
    """The layers and their folders, each with the first line of its docstring."""
    yield from ("| folder or file | holds |", "|---|---|")
    paths = {house.name_of(path): path for path in house.files()}
    for layer in house.ALLOWED:
        for name, path in paths.items():
            package = path.name == "__init__.py"
            if name == layer or (package and name.startswith(f"{layer}.")):
                docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
                place = name.replace(".", "/") + ("/" if package else ".py")
                yield f"| `{place}` | {_text(docstring.partition(chr(10))[0])} |"


def _imports() -> Iterator[str]:
    """What a layer may import."""
    below = ", ".join(f"`{name}`" for name in house.BELOW)
    yield from (f"| layer | may import, beside {below} and itself |", "|---|---|")
    for layer, allowed in house.ALLOWED.items():
        names = [f"`{name}`" for name in allowed]
        if layer in house.GROUND:
            ground = [f"`{name}`" for name in house.GROUND[layer]]
            names = ["nothing of tastemap" + (f" but {', '.join(ground)}" if ground else "")]
        yield f"| `{layer}` | {', '.join(names) or 'nothing else'} |"


def _habits() -> Iterator[str]:
    """The habits, each with the tests that keep it."""
    yield from ("| habit | kept by |", "|---|---|")
    for habit, tests in house.HABITS.items():
        kept_by = ", ".join(f"`{test}`" for test in tests)
        yield f"| {habit} | {kept_by} |"


def main(words: list[str], root: Path = ROOT) -> None:
    """Write the pages under a root, or check them."""
    texts = {
        "docs/cli.md": lambda _: command_line(),
        "CONTRIBUTING.md": contributing,
    }
    for name, text in texts.items():
        path = root / name
        old = path.read_text(encoding="utf-8") if path.is_file() else ""
        fresh = text(old)
        if "--check" not in words:
            path.write_text(fresh, encoding="utf-8")
        elif old != fresh:
            sys.exit(f"{name} is not what the code says: run {COMMAND}")


if __name__ == "__main__":
    main(sys.argv[1:])
