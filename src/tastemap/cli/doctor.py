"""Check what is installed."""

from tastemap.cli.arguments import Json, output


def doctor(as_json: Json = False) -> None:
    """Check what is installed, what runs, and where data is kept."""
    from tastemap.jobs.doctor import diagnosis

    output(as_json).show(diagnosis(), "tastemap doctor")
