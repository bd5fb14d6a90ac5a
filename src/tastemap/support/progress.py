"""A progress bar on standard error, for work that takes long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(
    doing: str, n_steps: int, unit: str, shown: bool
) -> Iterator[Callable[[str], None]]:
    """A progress bar on standard error, gone when all is done.

    Args:
        doing: The text before the bar.
        n_steps: Number of steps, in units of ``unit``.
        unit: The plural of what is counted.
        shown: Whether to show it at all.

    Yields:
        A function to call after each step, with a note to show behind the bar.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not shown) as bar:
        task = bar.add_task(doing, total=n_steps, note="")
        yield lambda note: bar.update(task, advance=1, note=note)
