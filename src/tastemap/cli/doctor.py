"""Check what is installed."""

from tastemap.cli.arguments import Json


def doctor(as_json: Json = False) -> None:
    """Check what is installed, what runs, and where data is kept."""
    from tastemap.jobs.doctor import diagnosis
    from tastemap.terminal import Output

    Output(as_json).show(diagnosis(), "tastemap doctor")
