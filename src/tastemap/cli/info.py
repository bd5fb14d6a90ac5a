"""Tell what a saved model is."""

from tastemap.cli.arguments import Json, Model, output


def info(model: Model, as_json: Json = False) -> None:
    """Tell what a saved model is: class, data, errors, versions."""
    from tastemap.models.base.artifact import read_manifest

    output(as_json).facts(read_manifest(model), f"Model {model}")
