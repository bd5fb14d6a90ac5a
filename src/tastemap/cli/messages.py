"""Errors in the words of the shell: options in place of the library's arguments."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from tastemap.errors import ArgumentError, TastemapError

# Arguments of the library, and the parameters of commands that stand for them.
PARAMETERS_OF_ARGUMENTS = {
    "exclude_seen": "include_seen",
    "history": "after",
    "n_trials": "trials",
    "path": "out",
    "user_id": "user",
}
# Python calls in the text of an error, and the options of the command line for them.
OPTIONS_OF_CALLS = (
    (r"exclude_seen=False", "--include-seen"),
    (r"tm\.read_interactions\(\.\.\.\), in the shell ", "by "),
    (r"has_header=False", "--no-header"),
    (r"\b(layout|encoding)='([\w-]*)'", r"--\1 \2"),
    (r"\b(layout|delimiter)=", r"--\1 "),
    (r"approximate=False", "--exact"),
    (r"on_bad_row='skip'", "--on-bad-row skip"),
    (r"duplicates='last', 'first' or 'mean'", "--duplicates last, first or mean"),
    (r"\b(user|item|rating|timestamp|weight|event)=\.\.\.", r"--\1 NAME"),
)


def in_shell(error: object, call: Any = None) -> str:
    """The message of an error on one line, with the options of the command that was called.

    Args:
        error: The error.
        call: The context of the command, of Click; None where none was called.

    Example:
        >>> from tastemap.errors import DataError
        >>> in_shell(DataError("r.csv", received="nothing", do="name it: rating=..."))
        'r.csv; received nothing; name it: --rating NAME.'
    """
    if isinstance(error, TastemapError) and call is not None:
        error = _in_options(error, _options(call), _chosen(call.params))
    text = " ".join(str(error).split())
    for python, option in OPTIONS_OF_CALLS:
        text = re.sub(python, option, text)
    text = re.sub(r"event_weights=\{([^{}]*)\}", _weights, text)
    return re.sub(
        r"\b(user|item|rating|timestamp|weight|event)='([^']*)'(?:,(?= \w+='))?", _column, text
    )


def _options(call: Any) -> dict[str, str]:
    """How a person writes each parameter of a command, by its name and by the library's."""
    written = {}
    for parameter in call.command.params:
        longest = max(parameter.opts, key=len)
        is_option = parameter.param_type_name == "option"
        written[parameter.name] = longest if is_option else parameter.name.upper()
    for word in ("rate", "like", "after", "seen"):  # of a new person; to the library, ratings
        if "rate" in written and call.params.get(word):
            written["ratings"] = f"--{word}"
    if call.params.get("test", "") is None:  # the library's test part came from a split
        written.pop("test")
    of_library = {
        argument: written[name]
        for argument, name in PARAMETERS_OF_ARGUMENTS.items()
        if name in written
    }
    return of_library | written


def _chosen(params: Mapping[str, Any]) -> set[str]:
    """The names of the model's options in words ``name=value`` after ``--set``."""
    return {word.partition("=")[0] for word in params.get("option") or ()}


def _in_options(error: TastemapError, options: Mapping[str, str], chosen: set[str]) -> str:
    """The message, whose argument is an option, and whose advice names options."""

    def option(word: str) -> str:
        name, space, rest = word.partition(" ")
        if name in chosen:
            return f"--set {name}{space}{rest}"
        return options.get(word, word)

    what, do = error.what, error.do
    if isinstance(error, ArgumentError):
        what = ", ".join(option(word) for word in what.split(", "))
    # A name with an underscore is no word of a sentence.
    do = re.sub(r"[\w'=-]+", lambda m: option(m[0]) if "_" in m[0] else m[0], do)
    return str(TastemapError(what, expected=error.expected, received=error.received, do=do))


def _column(argument: "re.Match[str]") -> str:
    """The option of the command line for a column that a message names."""
    return f"--{argument[1]} {shlex.quote(argument[2])}"


def _weights(argument: "re.Match[str]") -> str:
    """The option of the command line for weights of events that a message shows."""
    pairs = argument[1].replace("'", "").replace(": ", "=").replace(", ", ",")
    return f"--event-weights {'KIND=1' if pairs == '...' else pairs}"
