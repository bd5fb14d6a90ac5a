"""The program: its commands, and how an error becomes one line and an exit code."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from tastemap.cli.arguments import warnings_as_notes
from tastemap.cli.compare import compare
from tastemap.cli.describe import describe
from tastemap.cli.doctor import doctor
from tastemap.cli.evaluate import evaluate
from tastemap.cli.explain import explain
from tastemap.cli.export import export
from tastemap.cli.fetch import fetch
from tastemap.cli.fit import fit
from tastemap.cli.info import info
from tastemap.cli.lab import lab
from tastemap.cli.messages import in_shell
from tastemap.cli.prepare import prepare
from tastemap.cli.recommend import predict, recommend, similar
from tastemap.cli.report import draw_map, report
from tastemap.cli.run import run
from tastemap.cli.search import search
from tastemap.cli.serve import serve
from tastemap.cli.split import split
from tastemap.cli.synthesize import synthesize
from tastemap.cli.tune import tune
from tastemap.cli.update import update
from tastemap.errors import ArgumentError, TastemapError

#: The commands, in the order of the help.
COMMANDS = (
    *(fetch, describe, prepare, split, synthesize, search),
    *(lab, fit, evaluate, compare, tune, run),
    *(predict, recommend, explain, similar),
    *(draw_map, report, info, doctor),
    *(serve, update, export),
)
WRONG_CALL, FAILED_JOB, STOPPED = 2, 1, 130  # exit codes
CALL = "tastemap.call"  # the context of the command, among what contexts share


class Command(TyperCommand):
    """A command, which its errors know."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        ctx.meta[CALL] = ctx
        return super().invoke(ctx)


class Commands(TyperGroup):
    """The commands; an error is one line on standard error and an exit code, no traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command and turn its errors into exit codes."""
        if ctx.params.get("debug"):
            return super().invoke(ctx)
        try:
            with warnings_as_notes():
                return super().invoke(ctx)
        except typer.TyperException as error:
            command = getattr(getattr(error, "ctx", None), "command_path", "tastemap")
            message = getattr(error, "format_message", error.__str__)()
            _stop(f"{message.rstrip('.')}; see {command} --help", WRONG_CALL)
        except ArgumentError as error:
            _stop(error, WRONG_CALL, ctx.meta.get(CALL))
        except (TastemapError, OSError, MemoryError) as error:
            _stop(error, FAILED_JOB, ctx.meta.get(CALL))
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            _stop("stopped", STOPPED)
        except Exception as error:
            text = f"unexpected {type(error).__name__}: {error}"
            _stop(f"{text}; run it again with --debug to see where", FAILED_JOB)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Turn a table of ratings into a recommender people can trust, look into and serve.",
    epilog="Start with: tastemap lab --out demo/",
)


def _tell_version(requested: bool) -> None:
    if requested:
        from tastemap import __version__

        typer.echo(f"tastemap {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Tell the version.", callback=_tell_version, is_eager=True),
    ] = False,
) -> None:
    """Options of every command."""


for _command in COMMANDS:
    app.command("map" if _command is draw_map else None, cls=Command)(_command)


def main() -> None:
    """Run the command line; ``--debug`` may stand anywhere in it."""
    arguments = sys.argv[1:]
    if "--debug" in arguments:
        arguments = ["--debug", *(word for word in arguments if word != "--debug")]
    app(args=arguments, prog_name="tastemap")


def _stop(error: object, code: int, call: Any = None) -> None:
    """Print an error as one line, and end with an exit code."""
    from tastemap.terminal import complain

    complain(f"tastemap: {in_shell(error, call)}")
    raise typer.Exit(code)
