"""Self-contained HTML pages: text cannot become markup, only named scripts run."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from tastemap.support.atomic import new_file

#: The characters that could end a script element or open a comment inside one.
_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


@dataclass(frozen=True)
class Fragment:
    """A part of a page.

    Attributes:
        html: Finished markup; text from outside is escaped.
        scripts: JavaScript to run, in order, after the page is read; a script that several parts
            need is on the page once.
    """

    html: str
    scripts: tuple[str, ...] = ()


def document(title: str, body: str, scripts: Sequence[str] = ()) -> str:
    """A whole page that requests nothing from any host.

    Its content security policy allows no connection at all and no script but the given ones,
    which it names by their SHA-256.

    Args:
        title: Text for the window's title.
        body: Finished markup.
        scripts: JavaScript to run, in order; equal ones are put in once.
    """
    distinct = list(dict.fromkeys(scripts))
    digests = [hashlib.sha256(script.encode()).digest() for script in distinct]
    allowed = " ".join(f"'sha256-{base64.b64encode(d).decode()}'" for d in digests) or "'none'"
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return "".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="color-scheme" content="light dark">\n',
            f"<title>{escape(title)}</title>\n<style>\n{asset('report.css')}</style>\n</head>\n",
            f"<body>\n{body}\n",
            *(f"<script>{script}</script>\n" for script in distinct),
            "</body>\n</html>\n",
        ]
    )


def embedded_json(data: Any) -> str:
    r"""Data as JSON that is safe inside a script element of type ``application/json``.

    Example:
        >>> print(embedded_json(["</script>"]))
        ["\u003c/script\u003e"]
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_UNSAFE)


def asset(name: str) -> str:
    """The text of a file that lies beside this one."""
    return (files("tastemap.explore.report") / name).read_text(encoding="utf-8")


def write_page(path: str | Path, text: str) -> Path:
    """Write a file whole or not at all; its folder is made if it does not exist.

    Raises:
        OSError: If it cannot be written; an older file is intact.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with new_file(target) as fresh:
        fresh.write_text(text, encoding="utf-8", newline="\n")
    return target
