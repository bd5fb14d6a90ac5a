"""The tables of a run, for the terminal and for a page."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from peers.registry import CONTENDERS
from peers.scores import corrected
from peers.tasks import TASKS, Task

Row = dict[str, Any]
Cell = Callable[[Row, Row | None], str]
# A difference holds if its p value, corrected for the number of differences, is at most this.
MAX_P = 0.05


def number(name: str, digits: int) -> Cell:
    """A column of one value; empty where a model has none."""

    def cell(row: Row, _: Row | None) -> str:
        return "" if row.get(name) is None else f"{row[name]:.{digits}f}"

    return cell


def seconds(name: str) -> Cell:
    """Seconds, to two significant places below ten."""

    def cell(row: Row, _: Row | None) -> str:
        value = row.get(name)
        return "" if value is None else f"{value:.{1 if value >= 10 else 2 if value >= 1 else 3}f}"

    return cell


def times(name: str) -> Cell:
    """How many times the seconds of the model of tastemap beside it."""

    def cell(row: Row, ours: Row | None) -> str:
        if ours is None or row.get(name) is None or not ours.get(name):
            return ""
        ratio = row[name] / ours[name]
        return f"{ratio:.{0 if ratio >= 10 else 1 if ratio >= 1 else 2}f}"

    return cell


def difference(row: Row, _: Row | None) -> str:
    """Peer minus ours, with its interval."""
    if "difference" not in row:
        return ""
    value, low, high, _ = row["difference"]
    return f"{value:+.4f} ({low:+.4f} to {high:+.4f})"


def ahead(row: Row) -> str:
    """Who is better: ours, the peer, or nobody as far as the corrected p value tells."""
    if "difference" not in row:
        return ""
    if row["p_holm"] > MAX_P:
        return "neither"
    return "peer" if (row["difference"][0] < 0) == ("rmse" in row) else "ours"


def _mb(row: Row, _: Row | None) -> str:
    return "" if row.get("memory_mb") is None else f"{row['memory_mb']:.0f}"


_COST: dict[str, Cell] = {
    "prepare, s": seconds("prepare_s"),
    "fit, s": seconds("fit_s"),
    "fit / ours": times("fit_s"),
    "answer, s": seconds("answer_s"),
    "MB": _mb,
    "cores": lambda row, _: str(row["threads"]),
}
_BESIDE: dict[str, Cell] = {
    "beside": lambda row, _: row.get("beside", ""),
    "difference (95 %)": difference,
    "p, Holm": number("p_holm", 3),
    "ahead": lambda row, _: ahead(row),
}
COLUMNS: dict[str, dict[str, Cell]] = {
    "ratings": {
        "RMSE": number("rmse", 4),
        "MAE": number("mae", 4),
        "MAE, median": number("mae_median", 4),
        "log-loss": number("log_loss", 4),
    }
    | _BESIDE
    | _COST,
    "lists": {
        "NDCG@10": number("ndcg", 4),
        "Recall@10": number("recall", 4),
        "coverage": number("coverage", 3),
    }
    | _BESIDE
    | _COST,
    "next": {
        "NDCG@10": number("ndcg", 4),
        "HR@10": number("recall", 3),
        "NDCG, same second": number("ndcg, same second", 4),
        "over an hour": number("ndcg, over an hour", 4),
        "coverage": number("coverage", 3),
    }
    | _BESIDE
    | _COST,
    "everyone": {
        "beside": _BESIDE["beside"],
        "answer, s": seconds("answer_s"),
        "answer / ours": times("answer_s"),
        "cores": _COST["cores"],
    },
}
_BEST: dict[str, Callable[[Row], float]] = {
    "ratings": lambda row: row["rmse"],
    "lists": lambda row: -row["ndcg"],
    "next": lambda row: -row["ndcg"],
    "everyone": lambda row: row["answer_s"],
}


def table(task: Task, rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    """Header and cells of one task, best first; what did not run comes last, with its reason.

    A column in which nobody has a value is left out.
    """
    ours = {row["model"]: row for row in rows if row["ours"] and "reason" not in row}
    ran = sorted((row for row in rows if "reason" not in row), key=_BEST[task.ask])
    columns = {
        name: [cell(row, ours.get(row["beside"])) for row in ran]
        for name, cell in COLUMNS[task.ask].items()
    }
    columns = {name: cells for name, cells in columns.items() if any(cells)}
    body = [
        [label(row), row["settings"], *(cells[n] for cells in columns.values())]
        for n, row in enumerate(ran)
    ]
    for row in rows:
        if "reason" in row:
            first = f"did not run: {row['reason']}".replace("|", "/")
            body.append([label(row), row["settings"], first, *[""] * (len(columns) - 1)])
    return ["model", "settings", *columns], body


def label(row: Row) -> str:
    """The name, in bold where it is ours; a star where an answer had to be mended."""
    name = f"**{row['model']}**" if row["ours"] else row["model"]
    return name + ("\\*" if row.get("note") else "")


def tally(task: Task, rows: list[Row]) -> str:
    """Wins and losses in words, each peer at its chosen settings where it has some."""
    tuned = {row["model"] for row in rows if row["settings"] == "chosen"}
    best = [row for row in rows if row["settings"] == "chosen" or row["model"] not in tuned]
    compared = [row for row in best if "difference" in row]
    if not compared:
        return ""
    ours = {row["model"]: row for row in rows if row["ours"]}
    timed = [row for row in compared if "fit_s" in row]
    faster = [row for row in timed if row["fit_s"] < ours[row["beside"]]["fit_s"]]
    by = {
        who: [row for row in compared if ahead(row) == who] for who in ("ours", "peer", "neither")
    }
    text = (
        f"Of {len(compared)} peers at their best settings here, {len(by['ours'])} have a worse"
        f" {'error' if task.ask == 'ratings' else 'NDCG'} than the model of tastemap beside them,"
        f" {len(by['peer'])} a better one, and {len(by['neither'])} differ by no more than chance"
    )
    text += f"; {len(timed) - len(faster)} take longer to fit." if timed else "."
    for said, those in (("Better", by["peer"]), ("Faster", faster)):
        if those:
            text += f" {said} than ours: {', '.join(row['model'] for row in those)}."
    return text


def notes(rows: list[Row]) -> Iterator[str]:
    """What the stars mean."""
    for row in rows:
        if row.get("note"):
            yield f"\\* {row['model']}, {row['settings']}: {row['note']}."


def by_task(result: dict[str, Any]) -> Iterator[tuple[Task, list[Row]]]:
    """The rows of each task that has some, with their corrected p values."""
    for task in TASKS:
        if rows := [row for row in result["rows"] if row["task"] == task.name]:
            corrected(rows)
            yield task, rows


def joined(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Runs of different tasks as one."""
    rows = [row for result in results for row in result["rows"]]
    return results[-1] | {"rows": rows}


def about(result: dict[str, Any], rows: list[Row]) -> str:
    """Machine, versions and seeds behind the rows of a table, in a sentence or two."""
    found = result["machine"]
    used = {row["version_of"]: row["version"] for row in rows if "version" in row}
    versions = ", ".join(f"{name} {number}" for name, number in (found["versions"] | used).items())
    text = f"{found['processor']}, {found['cores']} cores, {found['date']}. Versions: {versions}."
    text += f" Seed {result['seed']} for every fit"
    if any("fit_s" in row for row in rows):
        return f"{text}; seconds are the least of up to {result['rounds']} rounds."
    return f"{text}; seconds were not measured."


def show(result: dict[str, Any]) -> None:
    """All tables on the terminal."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 170)
    for task, rows in by_task(result):
        header, body = table(task, rows)
        shown = Table(title=task.title, title_justify="left")
        for n, name in enumerate(header):
            shown.add_column(name, justify="left" if n < 2 or name == "beside" else "right")
        for cells in body:
            shown.add_row(*(cell.replace("**", "").replace("\\*", "*") for cell in cells))
        console.print(shown)
        for line in (tally(task, rows), *notes(rows), about(result, rows)):
            if line:
                console.print(line.replace("\\*", "*"))


def markdown(task: Task, rows: list[Row], result: dict[str, Any]) -> str:
    """A table and what is to be said of it, as Markdown."""
    header, body = table(task, rows)
    left = {"model", "settings", "beside", "ahead"}
    lines = [header, ["---" if name in left else "---:" for name in header], *body]
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    said = [line for line in (tally(task, rows), *notes(rows), about(result, rows)) if line]
    return "\n\n".join([text, *said])


def settings() -> str:
    """The chosen settings of the peers, as a table in Markdown."""
    rows = []
    for contender in CONTENDERS:
        for data, chosen in contender.chosen.items():
            said = ", ".join(f"{name} {value}" for name, value in chosen.items())
            rows.append(f"| {contender.name} | {data} | {said} |")
    return "\n".join(["| model | data | settings |", "|---|---|---|", *sorted(rows)])


def write(result: dict[str, Any], page: Path) -> None:
    """Replace what stands between the marks of a page: the tables of the tasks that were run."""
    parts = {task.name: markdown(task, rows, result) for task, rows in by_task(result)}
    parts["settings"] = settings()
    text = page.read_text(encoding="utf-8")
    for name, part in parts.items():
        mark = f"<!-- leaderboard: {name} -->\n"
        if mark not in text:
            raise SystemExit(f"{page} has no line {mark.strip()}")
        pattern = re.escape(mark) + r".*?<!-- end -->"
        whole = f"{mark}\n{part}\n\n<!-- end -->"
        text = re.sub(pattern, lambda _, whole=whole: whole, text, flags=re.DOTALL)
    page.write_text(text, encoding="utf-8")
