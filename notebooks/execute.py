"""Execute a notebook from the first cell to the last, and write it back without what is volatile.

python notebooks/execute.py notebooks/lab.ipynb            execute in place
python notebooks/execute.py --check notebooks/lab.ipynb    execute a copy, compare, write nothing

The kernel is the Python that runs this file, whatever kernels are installed, in a folder of its own
that is gone afterwards. What a cell says on standard error is not kept, but a warning there is a
failure. A code cell tagged ``exact`` must print the same text again; of the other cells only the
kinds of output are compared, as times and last digits differ from machine to machine.
"""

import argparse
import base64
import hashlib
import io
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from PIL import Image

Notebook = Any
Cell = Any

# Where the hash of the code that was executed is kept, in the notebook's metadata.
EXECUTED = "executed_code_sha256"
CELL_TIMEOUT = 600
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_WARNING = re.compile(r"^.*\b\w*Warning: .*$", re.MULTILINE)


class NotebookError(Exception):
    """What is wrong with a notebook, in one line."""


class ThisPython(AsyncKernelManager):
    """Starts kernels with the running interpreter, asking no installed kernel specification."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The running interpreter's ipykernel."""
        launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=launch, display_name="Python 3 (ipykernel)", language="python")


def main() -> int:
    """Parse the call, do it, and say in one line how it went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    call = parser.parse_args()
    try:
        if call.check:
            check(call.notebook)
        else:
            run_in_place(call.notebook)
    except NotebookError as error:
        print(f"{call.notebook}: {error}", file=sys.stderr)
        return 1
    print(f"{call.notebook}: {'in order' if call.check else 'executed'}")
    return 0


def run_in_place(path: Path) -> None:
    """Execute a notebook and write it back."""
    notebook = read(path)
    execute(notebook)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(f"{nbformat.writes(notebook)}\n", encoding="utf-8")
    temporary.replace(path)


def check(path: Path) -> None:
    """Execute a copy of a notebook and compare it with what is committed.

    Raises:
        NotebookError: If the committed notebook is not executed, or its outputs are not those of
            its code.
    """
    committed, again = read(path), read(path)
    check_executed(committed)
    execute(again)
    compare(committed, again)


def read(path: Path) -> Notebook:
    """A valid notebook."""
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        line = str(error).splitlines()[0]
        raise NotebookError(f"cannot be read as a notebook ({line})") from error
    return notebook


def code_cells(notebook: Notebook) -> list[Cell]:
    """The code cells in order; the n-th has execution count n."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def code_hash(notebook: Notebook) -> str:
    """SHA-256 of the code of all cells."""
    code = json.dumps([cell.source for cell in code_cells(notebook)])
    return hashlib.sha256(code.encode()).hexdigest()


def check_executed(notebook: Notebook) -> None:
    """Refuse a notebook that has not been executed in order, as it stands."""
    cells = code_cells(notebook)
    counts = [cell.execution_count for cell in cells]
    if not any(cell.outputs for cell in cells):
        raise NotebookError("has no outputs; execute it: python notebooks/execute.py NOTEBOOK")
    if counts != list(range(1, len(cells) + 1)):
        raise NotebookError(f"was not executed from first to last: its cells are counted {counts}")
    if notebook.metadata.get(EXECUTED) != code_hash(notebook):
        raise NotebookError("was edited after it was executed; execute it again")


def execute(notebook: Notebook) -> None:
    """Execute all cells afresh, in place, and take out what is volatile.

    Raises:
        NotebookError: If a cell raises, takes too long, warns, or shows a path of this machine.
    """
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    with tempfile.TemporaryDirectory(prefix="notebook-") as folder:
        # A fresh folder instead of the person's own IPython settings and history.
        environment = os.environ | {"IPYTHONDIR": folder, "TF_CPP_MIN_LOG_LEVEL": "2"}
        client = NotebookClient(
            notebook,
            kernel_manager_class=ThisPython,
            timeout=CELL_TIMEOUT,
            record_timing=False,
            resources={"metadata": {"path": folder}},
        )
        log = Path(folder) / "kernel.log"
        try:
            with log.open("w") as file:
                client.execute(env=environment, stdout=file, stderr=file)
        except CellExecutionError as error:
            reason = f"raises {error.ename}: {error.evalue}"
            raise NotebookError(f"{_where(notebook)} {reason}") from error
        except CellTimeoutError as error:
            raise NotebookError(f"{_where(notebook)} takes over {CELL_TIMEOUT} s") from error
        except (DeadKernelError, RuntimeError) as error:
            said = log.read_text(encoding="utf-8", errors="replace").split("\n")
            last = next((line for line in reversed(said) if line.strip()), str(error))
            raise NotebookError(f"{_where(notebook)}: the kernel died: {last}") from error
        tidy(notebook)
        check_outputs(notebook, [folder])


def tidy(notebook: Notebook) -> None:
    """Take out standard error and what tells of the machine; refuse warnings."""
    for number, cell in enumerate(code_cells(notebook), 1):
        said = "".join(o.text for o in cell.outputs if o.get("name") == "stderr")
        if warned := _WARNING.search(_ANSI.sub("", said)):
            raise NotebookError(f"code cell {number} warns: {warned[0].strip()}")
        cell.outputs = _joined([o for o in cell.outputs if o.get("name") != "stderr"])
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            if png := output.get("data", {}).get("image/png"):
                output.data["image/png"] = _in_256_colours(png)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"file_extension": ".py", "name": "python"},
            EXECUTED: code_hash(notebook),
        }
    )


def _joined(outputs: list[Any]) -> list[Any]:
    """Outputs with what was printed in pieces, which depends on the clock, as one."""
    joined: list[Any] = []
    for output in outputs:
        if output.output_type == "stream" and joined and joined[-1].output_type == "stream":
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _in_256_colours(png: str) -> str:
    """A picture, base64, in less than half the bytes; long colour scales show faint steps."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    smaller = io.BytesIO()
    picture.quantize(256, dither=Image.Dither.NONE).save(smaller, "PNG", optimize=True)
    return base64.b64encode(smaller.getvalue()).decode()


def check_outputs(notebook: Notebook, folders: list[str]) -> None:
    """Refuse outputs that show where they were made."""
    places = {str(Path.home()), str(Path.cwd()), sys.prefix, tempfile.gettempdir(), *folders}
    for number, cell in enumerate(code_cells(notebook), 1):
        shown = json.dumps(cell.outputs)
        found = [place for place in places if len(place) > 1 and f"{place}/" in shown]
        if found:
            raise NotebookError(f"code cell {number} shows a path of this machine: {found[0]}")


def compare(committed: Notebook, again: Notebook) -> None:
    """Refuse a committed notebook whose outputs are of other kinds, or another exact text."""
    pairs = zip(code_cells(committed), code_cells(again), strict=True)
    for number, (old, new) in enumerate(pairs, 1):
        kinds = [_kinds(cell) for cell in (old, new)]
        if kinds[0] != kinds[1]:
            raise NotebookError(f"code cell {number} gave {kinds[0]}, and now gives {kinds[1]}")
        if "exact" in new.metadata.get("tags", []) and _text(old) != _text(new):
            raise NotebookError(f"code cell {number} gave {_text(old)!r}, and now {_text(new)!r}")


def _kinds(cell: Cell) -> list[str]:
    """What kinds of output a cell has."""
    return [
        f"{output.output_type} {' '.join(sorted(output.get('data', {})))}".strip()
        for output in cell.outputs
    ]


def _text(cell: Cell) -> str:
    """The text that a cell prints or shows."""
    return "".join(
        o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in cell.outputs
    )


def _where(notebook: Notebook) -> str:
    """The cell that was executed last."""
    counts = [cell.execution_count or 0 for cell in code_cells(notebook)]
    return f"code cell {max(counts, default=0)}"


if __name__ == "__main__":
    sys.exit(main())
