"""Serve a saved model."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import Model, Noun, parse_weights


def serve(
    model: Model,
    host: Annotated[
        str, typer.Option(help="Address to listen on; other than loopback needs an API key.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    store: Annotated[
        str, typer.Option(help="Where people's ratings are kept: a file, or a PostgreSQL URL.")
    ] = "ratings.db",
    api_key_file: Annotated[
        Path | None, typer.Option(help="A file that holds the key that the API asks for.")
    ] = None,
    allowed_host: Annotated[
        list[str] | None, typer.Option(help="A name this server goes by; may be repeated.")
    ] = None,
    rate_limit: Annotated[
        float | None, typer.Option(help="Requests a second of one client; 50 if not on loopback.")
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(help="A proxy's address or network, to be believed; may be repeated."),
    ] = None,
    event_weights: Annotated[
        str | None, typer.Option(help="Weight of each kind of event sent: view=1,cart=3.")
    ] = None,
    noun: Noun = None,
    workers: Annotated[int, typer.Option(help="Number of processes.")] = 1,
) -> None:
    """Open the application on a saved model, for people, and its REST service, for programs."""
    from tastemap.serve.key_files import read_key
    from tastemap.serve.server import run_server
    from tastemap.serve.settings import Limits, Settings
    from tastemap.terminal import say

    key, names = read_key(api_key_file), tuple(allowed_host or ())
    limits, proxies = Limits(rate=rate_limit), tuple(trusted_proxy or ())
    base = Settings(model, store, host, port, key, names, workers, limits, proxies)
    settings = replace(base, noun=noun or "", **parse_weights(event_weights))

    def tell(address: str) -> None:
        say(f"serving {model} at {address} (Ctrl-C ends)")
        if settings.is_public and settings.is_loopback and not proxies:
            say("note: all that a proxy passes on counts as one client; name it: --trusted-proxy")

    run_server(settings, tell)
