"""``Manifest``: what ``model.json`` says of a saved model, with the type of everything it says.

Names that are not here may come from a newer version of the same format, and are passed over.
"""

from typing import Annotated, Any

import msgspec

from tastemap.data.scale import Scale, check_scale
from tastemap.errors import ArtifactError
from tastemap.support.boundary import shortened

FORMAT = 1

Size = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class ArrayEntry(msgspec.Struct):
    """The shape and the dtype of a learnt array."""

    shape: tuple[Size, ...]
    dtype: str


class PartEntry(msgspec.Struct):
    """The length in bytes and the hash of a file of the artifact."""

    bytes: Size
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Recipe(msgspec.Struct):
    """Class and parameters from which a model is learnt again."""

    class_name: str = msgspec.field(name="class")
    parameters: dict[str, Any]


class Stop(msgspec.Struct):
    """Where the time of a fit was over: iterations done, and iterations planned."""

    iterations: Size
    planned: Size


class Origin(msgspec.Struct):
    """The name of the training data, and what was noted when they were read.

    Attributes:
        noun: What an item is called; None where an earlier version has written this.
    """

    name: str = "ratings"
    notes: tuple[str, ...] = ()
    noun: str | None = None


class Calibration(msgspec.Struct):
    """The two tables of the figure of calibration, by column."""

    reliability: dict[str, list[float | None]]
    coverage: dict[str, list[float | None]]

    def __post_init__(self) -> None:
        """Refuse columns of different lengths."""
        for columns in (self.reliability, self.coverage):
            if len({*map(len, columns.values())}) > 1:
                raise ValueError("a table of calibration with columns of different lengths")


class Manifest(msgspec.Struct):
    """The contents of ``model.json``; `Artifact` says what most of it is.

    Attributes:
        stopped: Where a fit ended before its last iteration; None for a whole fit, and in artifacts
            of versions that did not write it.
        scale: The scale of the ratings; None of interactions, which have none.
        parts: The files of the artifact by name; empty in artifacts of versions that did not
            write it.
    """

    format: int
    class_name: str = msgspec.field(name="class")
    parameters: dict[str, Any]
    arrays: dict[str, ArrayEntry]
    scale: Scale | None
    seed: int
    metrics: dict[str, Any]
    learnt_by: str = ""
    recipe: Recipe | None = None
    stopped: Stop | None = None
    data: Origin = msgspec.field(default_factory=Origin)
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    parts: dict[str, PartEntry] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a scale that is none, and a calibration that cannot be drawn."""
        if self.scale is not None:
            check_scale(self.scale)
        if "calibration" in self.metrics:
            msgspec.convert(self.metrics["calibration"], Calibration)


def damaged(source: object, expected: str, received: object) -> ArtifactError:
    """The error, in one line, for a part of an artifact that cannot be used."""
    return ArtifactError(
        f"artifact {source}",
        expected=expected,
        received=shortened(received),
        do="the artifact is damaged: fit and save the model again",
    )
