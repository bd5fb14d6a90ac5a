"""Tell what a saved model is."""

from tastemap.cli.arguments import Json, Model, output


def info(model: Model, as_json: Json = False) -> None:
    """Tell what a saved model is: class, data, errors, versions."""
    from tastemap.models.base.artifact import read_manifest

    facts = read_manifest(model)
    if not as_json:  # the hashes of files are for programs
        facts.pop("parts", None)
    output(as_json).facts(facts, f"Model {model}")
