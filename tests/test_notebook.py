"""The committed notebook: executed in order, clean, complete. CI executes it by `make notebook`."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "lab.ipynb"
# The lab's headings, in its order.
SECTIONS = [
    "Recommender systems",
    "Loading the data",
    "Data preprocessing",
    "Quick exercise",
    "Explicit feedback: supervised ratings prediction",
    "Predictive ratings as a regression problem",
    "Monitoring runs",
    "Question: does it look like our model has overfit?",
    "Model embeddings",
    "Finding our most similar items",
    "Quick exercise",
    "Visualising embeddings using t-SNE",
    "Exercises",
    "A recommendation function for a given user",
    "Exercises",
    "Where to go next",
]


@pytest.fixture(scope="module")
def notebook(execute: ModuleType) -> Any:
    read = execute.nbformat.read(NOTEBOOK, as_version=4)
    execute.nbformat.validate(read)
    return read


@pytest.fixture(scope="module")
def execute() -> ModuleType:
    """The script, and with it nbformat, which takes seconds to import."""
    spec = importlib.util.spec_from_file_location("execute", ROOT / "notebooks" / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tiny(*sources: str, execute: ModuleType) -> Any:
    """A notebook as if executed, each cell having printed its own code."""
    v4 = execute.nbformat.v4
    cells = [
        v4.new_code_cell(source, execution_count=n, outputs=[v4.new_output("stream", text=source)])
        for n, source in enumerate(sources, 1)
    ]
    made = v4.new_notebook(cells=cells)
    made.metadata[execute.EXECUTED] = execute.code_hash(made)
    return made


def outputs(notebook: Any) -> list[Any]:
    return [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]


def test_it_was_executed_in_order_as_it_stands(notebook: Any, execute: ModuleType) -> None:
    execute.check_executed(notebook)


def test_no_cell_failed_or_warned(notebook: Any) -> None:
    assert outputs(notebook)
    for output in outputs(notebook):
        assert output.output_type != "error"
        assert output.get("name") != "stderr"


@pytest.mark.parametrize("word", ["/work", "/root", "/home", "/tmp", "Traceback", "Warning"])  # noqa: S108
def test_no_output_tells_of_the_machine_or_of_trouble(notebook: Any, word: str) -> None:
    for output in outputs(notebook):
        text = {kind: data for kind, data in output.get("data", {}).items() if kind != "image/png"}
        assert word not in json.dumps([output.get("text", ""), text])


def test_it_is_small_and_has_pictures() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text.encode()) < 3_000_000
    assert text.count('"image/png"') >= 12


def test_the_sections_of_the_lab_are_there_in_order(notebook: Any) -> None:
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = iter(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
    for section in SECTIONS:
        assert any(heading.startswith(section) for heading in headings), section


def test_a_notebook_that_was_not_executed_is_refused(execute: ModuleType) -> None:
    v4 = execute.nbformat.v4
    fresh = v4.new_notebook(cells=[v4.new_code_cell("1")])
    with pytest.raises(execute.NotebookError, match="no outputs"):
        execute.check_executed(fresh)


def test_cells_out_of_order_are_refused(execute: ModuleType) -> None:
    made = tiny("a", "b", execute=execute)
    made.cells[0].execution_count = 7
    with pytest.raises(execute.NotebookError, match="first to last"):
        execute.check_executed(made)


def test_code_edited_after_it_was_executed_is_refused(execute: ModuleType) -> None:
    made = tiny("a", "b", execute=execute)
    execute.check_executed(made)
    made.cells[1].source = "c"
    with pytest.raises(execute.NotebookError, match="edited"):
        execute.check_executed(made)


def test_only_exact_cells_must_print_the_same(execute: ModuleType) -> None:
    old, new = tiny("a", execute=execute), tiny("a", execute=execute)
    new.cells[0].outputs[0].text = "b"
    execute.compare(old, new)
    new.cells[0].metadata["tags"] = ["exact"]
    with pytest.raises(execute.NotebookError, match="gave 'a', and now 'b'"):
        execute.compare(old, new)


def test_outputs_of_another_kind_are_refused(execute: ModuleType) -> None:
    old, new = tiny("a", execute=execute), tiny("a", execute=execute)
    new.cells[0].outputs = []
    with pytest.raises(execute.NotebookError, match="code cell 1"):
        execute.compare(old, new)


def test_warnings_and_paths_are_refused_and_other_noise_is_dropped(execute: ModuleType) -> None:
    made = tiny("a", execute=execute)
    v4 = execute.nbformat.v4
    noise = v4.new_output("stream", name="stderr", text="I0000 port.cc: oneDNN is on\n")
    more = v4.new_output("stream", text="b")
    made.cells[0].outputs += [noise, more]
    execute.tidy(made)
    assert [(output.name, output.text) for output in made.cells[0].outputs] == [("stdout", "ab")]
    made.cells[0].outputs[0].text = f"written to {Path.home()}/map.html"
    with pytest.raises(execute.NotebookError, match="path of this machine"):
        execute.check_outputs(made, [])
    noise.text = "x.py:3: UserWarning: look out"
    made.cells[0].outputs.append(noise)
    with pytest.raises(execute.NotebookError, match="look out"):
        execute.tidy(made)


@pytest.mark.slow
def test_a_cell_that_raises_is_one_line(
    execute: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    path = tmp_path / "broken.ipynb"
    path.write_text(execute.nbformat.writes(tiny("1 / 0", execute=execute)), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["execute.py", "--check", str(path)])
    assert execute.main() == 1
    said = capsys.readouterr().err.splitlines()
    assert said == [f"{path}: code cell 1 raises ZeroDivisionError: division by zero"]
