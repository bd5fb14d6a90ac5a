"""Tell what a saved model is."""

from tastemap.cli.arguments import Json, Model


def info(model: Model, as_json: Json = False) -> None:
    """Tell what a saved model is: class, data, errors, versions."""
    from tastemap.models.base.artifact import read_manifest
    from tastemap.terminal import Output

    Output(as_json).facts(read_manifest(model), f"Model {model}")
