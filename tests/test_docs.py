"""Documentation as tests: what the pages say is there, and what is there the pages say."""

import ast
import importlib
import importlib.util
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import typer.main

import tastemap
from tastemap import errors
from tastemap.cli import app
from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.feedback import Source
from tastemap.data.ratings import Ratings
from tastemap.data.splits import SPLIT_NAMES, Split
from tastemap.evaluation.scores import CHOOSERS
from tastemap.evaluation.tuning.spaces import SPACES, Span
from tastemap.metrics import rating as metrics
from tastemap.models.base.artifact import CLASSES, model_class
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import MODELS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SCRIPTS = sorted(
    [*EXAMPLES, *(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "notebooks").glob("*.ipynb")]
)
COMMANDS = typer.main.get_command(app).commands
# Prefixes that the pages use, and what they stand for.
PREFIXES = {
    "tastemap": "tastemap",
    "tm": "tastemap",
    "st": "tastemap.data.statistics",
    "plots": "tastemap.explore.figures.ratings",
    "model_plots": "tastemap.explore.figures.model",
    "board_plots": "tastemap.explore.figures.leaderboard",
}


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


def ids(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


# ---- what is there stands in the pages ----


def test_what_is_written_from_the_code_is_up_to_date() -> None:
    environment = os.environ | {"COLUMNS": "40", "FORCE_COLOR": "1"}
    subprocess.run([sys.executable, DOCS / "generate.py", "--check"], check=True, env=environment)


def test_a_check_says_which_page_is_old(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    (tmp_path / "docs").mkdir()
    for name in ("docs/cli.md", "CONTRIBUTING.md"):
        page = tmp_path / name
        fresh = text_of(ROOT / name)
        old = fresh.replace("Each command", "No command").replace("| `cli/` |", "| `sea/` |")
        page.write_text(old, encoding="utf-8")
        with pytest.raises(SystemExit, match=rf"^{name} is not what the code says: run python"):
            generate.main(["--check"], tmp_path)
        assert text_of(page) == old
        page.write_text(fresh, encoding="utf-8")
    generate.main(["--check"], tmp_path)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_and_its_options_are_described(name: str) -> None:
    page = text_of(DOCS / "cli.md")
    section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "argument":
            assert f"{parameter.name.upper()}" in section
        else:
            for spelling in {*parameter.opts, *parameter.secondary_opts} - {"--help"}:
                assert f"`{spelling}`" in section, spelling
    assert "\x1b" not in page


@pytest.mark.parametrize("name", tastemap.__all__)
def test_each_public_name_is_described(name: str) -> None:
    assert callable(getattr(tastemap, name)), "a module stands in its place"
    word = re.compile(rf"\b{name}\b")
    assert any(word.search(text_of(page)) for page in DOCS.glob("*.md"))


@pytest.mark.parametrize("name", MODELS)
def test_each_model_and_its_options_are_described(name: str) -> None:
    page = text_of(DOCS / "models.md")
    class_name, made_with = MODELS[name]
    section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert section.strip().startswith("$$"), "a model starts with its equation"
    assert f"[`{name}`](#{name})" in page
    for option in made_with:
        assert f"| `{option}` |" in page, option
    for option in inspect.signature(model_class(class_name)).parameters:
        assert f"| `{option}` |" in page, option


@pytest.mark.parametrize("name", [n for n in MODELS if MODELS[n][0] == "NeuralRecommender"])
def test_options_of_networks_have_the_defaults_that_the_page_says(name: str) -> None:
    from tastemap.models.neural.registry import NETWORKS

    network, size, _ = NETWORKS[name]
    own = {"embedding_size": size, **MODELS[name][1].get("network_options", {})}
    section = text_of(DOCS / "models.md").split(f"\n## {name}\n")[1].split("\n## ")[0]
    given_by_the_data = {"max_user_id", "max_item_id", "global_mean", "ratings"}
    for option, parameter in inspect.signature(network).parameters.items():
        if option not in given_by_the_data:
            default = own.get(option, parameter.default)
            assert f"| `{option}` | {default} |" in section, (option, default)


def test_each_hook_of_a_model_stands_in_the_table_of_contributing() -> None:
    """A hook is a private method of the base that a model defines anew."""
    table = text_of(ROOT / "CONTRIBUTING.md").split("| hook |")[1].split("\n\n")[0]
    named = set(re.findall(r"`(_\w+)\(", table))
    base = {name for cls in Recommender.__mro__[:-1] for name in vars(cls)}
    models = {cls for name in CLASSES for cls in model_class(name).__mro__} - {*Recommender.__mro__}
    hooks = {
        name
        for cls in models
        for name, value in vars(cls).items()
        if name in base and inspect.isfunction(value) and re.match(r"_[a-z]", name)
    }
    assert named == hooks


@pytest.mark.parametrize(("name", "space"), SPACES.items())
def test_what_tuning_searches_is_described(name: str, space: dict[str, Span]) -> None:
    section = text_of(DOCS / "models.md").split("\n## What tuning searches\n")[1].split("\n## ")[0]
    told = (f"`{o.rpartition('.')[2]}` {span.low:g} to {span.high:g}" for o, span in space.items())
    assert f"| `{name}` | {', '.join(told) or 'nothing'} |" in section


def test_each_metric_split_and_error_is_described() -> None:
    notation, guide = text_of(DOCS / "notation.md"), text_of(DOCS / "guide.md")
    for name, function in vars(metrics).items():
        if inspect.isfunction(function) and not name.startswith("_"):
            assert f"`{name}`" in notation, name
            assert f"tm.{name}" in guide, name
    for name in SPLIT_NAMES:
        assert f"`{name}`" in guide or name in ("u2", "u3", "u4"), name
    page = text_of(DOCS / "errors.md")
    tree = [line[4:] for line in inspect.getdoc(errors).splitlines() if line.startswith("    ")]
    assert "\n".join(tree) in page
    for name in all_errors():
        assert f"`{name}`" in page, name


def test_each_score_of_a_leaderboard_is_defined(split: Split) -> None:
    page = text_of(DOCS / "judging.md")
    board = tastemap.compare(["bias", "popularity"], *split)
    defined = {*board.frame.columns} - {"model", "validation_ndcg"}
    for column in defined | {"test_mae_mean", "test_log_loss", "test_calibration_error"}:
        assert re.search(rf"^\|[^|]*`{column}`", page, re.MULTILINE), column
    for name in CHOOSERS:
        assert f"`{name}`" in page.split("**chooses**")[1].split("4.")[0], name
    for metric in set(board.differences["metric"]):
        assert metric in page.split("## Differences")[1].lower(), metric


def all_errors() -> set[str]:
    """Names of every error and warning that the package defines."""
    for path in Path(tastemap.__file__).parent.rglob("*.py"):
        if "TastemapWarning)" in text_of(path) or "TastemapError)" in text_of(path):
            relative = path.relative_to(Path(tastemap.__file__).parent).with_suffix("")
            importlib.import_module(".".join(["tastemap", *relative.parts]))
    found: set[str] = set()
    todo: list[type] = [errors.TastemapError, errors.TastemapWarning]
    while todo:
        kind = todo.pop()
        if kind.__module__.startswith("tastemap"):
            found.add(kind.__name__)
            todo += kind.__subclasses__()
    return found


# ---- what the pages say is there ----


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(title) for title in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{target}: no such file"
        assert file.is_relative_to(ROOT), f"{target} leads out of the project"
        if anchor:
            assert anchor in anchors(file), f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_names_in_the_pages_exist(page: Path) -> None:
    """Each `tastemap.x.y`, `tm.x`, `plots.x` in backticks is something that can be imported."""
    for code in re.findall(r"`([^`\n]+)`", prose(page)):
        dotted = re.match(r"(\w+)((?:\.\w+)+)(?![/\w])", code)
        if dotted and dotted[1] in PREFIXES:
            resolve(PREFIXES[dotted[1]] + dotted[2])


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_files_named_in_the_pages_exist(page: Path) -> None:
    for name in re.findall(r"`((?:src|tests|docs|benchmarks|examples)/[\w/.-]+)", text_of(page)):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("script", SCRIPTS, ids=ids(SCRIPTS))
def test_scripts_import_what_is_there(script: Path) -> None:
    """Benchmarks, examples and the notebook, of which only some run in the tests."""
    code = text_of(script)
    if script.suffix == ".ipynb":
        cells = [cell for cell in json.loads(code)["cells"] if cell["cell_type"] == "code"]
        lines = "\n".join("".join(cell["source"]) for cell in cells).splitlines()
        code = "\n".join(line for line in lines if not line.startswith("%"))
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("tastemap"):
            for name in node.names:
                resolve(f"{node.module}.{name.name}")
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.startswith("tastemap"):
                    resolve(name.name)


def resolve(dotted: str) -> object:
    """The module, class or function of a dotted name."""
    parts = dotted.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        for part in parts[n:]:
            found = getattr(found, part)
        return found
    raise AssertionError(f"{dotted} does not exist")


def shell_lines() -> Iterator[tuple[str, str]]:
    """Each command line of a shell block, with its page; `tastemap` commands in prose too."""
    for page in PAGES:
        name = str(page.relative_to(ROOT))
        for block in blocks(page, "sh"):
            yield from ((name, line) for line in block.replace("\\\n", " ").splitlines() if line)
        for code in re.findall(r"`(tastemap [a-z][^`]*)`", prose(page)):
            yield name, code.replace("\n", " ").replace("\\|", "|")


@pytest.mark.parametrize(("page", "line"), sorted(set(shell_lines())))
def test_commands_in_the_pages_can_be_called(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        targets = re.findall(r"^([\w-]+):", text_of(ROOT / "Makefile"), re.MULTILINE)
        assert set(words[1:]) <= set(targets), line
    elif words[0] == "tastemap":
        assert words[1] in COMMANDS, f"{page}: no command {words[1]}"
        command = COMMANDS[words[1]]
        if len(words) > 2 or "-o" in line:
            command.make_context(words[1], words[2:])  # raises what a wrong call would show
    else:
        assert words[0] in {"pip", "python", "."}, f"{page}: {line}"
        if words[0] == "python":
            assert (ROOT / words[1]).is_file(), line


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "start.md"], ids=["README", "start"])
def test_the_first_examples_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On small ratings under the titles that the examples use."""
    films = films_of_the_examples()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tastemap, "load_dataset", lambda name: films, raising=False)
    films.to_frame().write_csv("your-ratings.csv")
    (code,) = blocks(page, "python")
    exec(compile(code, str(page), "exec"), {})  # noqa: S102 - our own page
    assert (tmp_path / "my-model" / "model.json").is_file()
    assert capsys.readouterr().out


def films_of_the_examples() -> Ratings:
    ratings = synthetic_ratings()
    titles = ["Star Wars", "Scream", "Toy Story"]
    named = ratings.item_table.with_columns(
        title=pl.Series([*titles, *ratings.item_table["title"][3:]]),
        year=pl.Series([1977, 1996, 1995, *ratings.item_table["year"][3:]]),
    )
    return Ratings.from_frame(ratings.to_frame(), item_table=named, source=Source("films"))


@pytest.mark.slow
def test_examples_run(tmp_path: Path) -> None:
    """Two at once, since each spends most of its time on starting; then the one that asks."""
    model = tmp_path / "my-model"
    ratings = tmp_path / "ratings.csv"
    synthetic_ratings().to_frame().write_csv(ratings)
    first = [start("own_ratings", ratings, model), start("keras_network")]
    shown = [finish(process) for process in first]
    shown.append(finish(start("new_person", model, "2=5", "4=4", "1=1")))
    assert len(shown) == len(EXAMPLES)
    assert all("│" in out for out in shown)
    assert "chosen by the validation error: biased-dot" in shown[0]
    assert "your rating" in shown[2]


def start(example: str, *words: object) -> subprocess.Popen[str]:
    """An example in a process of its own, compiled in a hurry."""
    command = [sys.executable, ROOT / "examples" / f"{example}.py", *map(str, words)]
    environment = os.environ | {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1", "PYTHONWARNINGS": "error"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)


def finish(process: subprocess.Popen[str]) -> str:
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    return out


def test_examples_and_the_results_name_their_command() -> None:
    index = text_of(DOCS / "index.md")
    for path in EXAMPLES:
        assert f"(../examples/{path.name})" in index, path.name
        assert f"python examples/{path.name}" in path.read_text(encoding="utf-8")
    results = text_of(ROOT / "README.md").split("## Results")[1].split("\n## ")[0]
    assert results.count("<!-- results:") == results.count("<!-- end of results -->") > 0
    for part in results.split("<!-- results:")[:-1]:
        (command,) = re.findall(r"tastemap lab|python (benchmarks/\w+\.py)", part)[-1:]
        assert not command or (ROOT / command).is_file(), command


# ---- what no file may hold ----


def test_no_address_of_a_registry_and_no_path_of_a_machine() -> None:
    registries = [".".join(["pypi", "org"]), ".".join(["pythonhosted", "org"]), "index" + "-url"]
    machine = re.compile(r"(?<![\w.~/<])/(?:home|root|work|Users|mnt)/\w")
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        name = path.relative_to(ROOT)
        assert not [address for address in registries if address in text], name
        found = machine.search(text)
        assert not found, f"{name}: {text[found.start() : found.end() + 30]!r}"


def tracked_files() -> list[Path]:
    """The files of the project, as git has them or would take them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]
