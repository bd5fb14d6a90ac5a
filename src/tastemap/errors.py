"""The exceptions that tastemap raises.

    TastemapError
    ├── ArgumentError      (ValueError)   a call with an argument that cannot be used
    │   └── UnknownIdError (KeyError)     a user or item id that the data does not hold
    ├── DataError          (ValueError)   a file or table that cannot be read as ratings
    │   └── NoRatingsError              a table that says who chose what, without ratings
    ├── FetchError         (OSError)      a data set that cannot be fetched or fails its checksum
    ├── ArtifactError      (ValueError)   a saved model that cannot be loaded
    ├── StoreError         (OSError)      people's ratings cannot be read or written now
    ├── NotFittedError     (RuntimeError) a model used before ``fit``
    ├── UnsupportedError   (TypeError)    a call that this kind of model cannot answer
    └── MissingPackageError (ImportError) an optional package that is not installed

Warnings are kinds of `TastemapWarning`.

Every message says which argument, what was expected, what was received and what to do.
"""

from collections.abc import Sequence

READERS_WITHOUT_RATINGS = (
    "or read it without ratings: tm.read_interactions(...), in the shell run, describe, fit,"
    " tune, evaluate, compare and split"
)


class TastemapError(Exception):
    """Base of every error that tastemap raises on purpose."""

    def __init__(
        self, what: str, *, expected: object = None, received: object = None, do: str = ""
    ) -> None:
        """Compose the one-line message from its parts; empty parts are left out."""
        self.what, self.expected, self.received, self.do = what, expected, received, do
        parts = [what]
        if expected is not None:
            parts.append(f"expected {expected}")
        if received is not None:
            parts.append(f"received {received}")
        if do:
            parts.append(do)
        super().__init__("; ".join(parts) + ".")

    def __str__(self) -> str:
        """The message; the built-in base KeyError would add quotes."""
        return str(self.args[0])


class ArgumentError(TastemapError, ValueError):
    """A call was made with an argument that cannot be used."""


class UnknownIdError(ArgumentError, KeyError):
    """A user or item id is not in the data.

    Attributes:
        unknown_id: The id.
        nearest: Ids of the data that are close to it.
    """

    def __init__(self, argument: str, received: object, nearest: Sequence[object] = ()) -> None:
        """Name the unknown id and offer the ids nearest to it."""
        self.unknown_id, self.nearest = received, tuple(nearest)
        offer = ", ".join(repr(near) for near in self.nearest)
        super().__init__(
            argument,
            expected="an id from the data",
            received=repr(received),
            do=f"nearest: {offer}" if offer else "the data holds no id close to it",
        )


class DataError(TastemapError, ValueError):
    """A file or table cannot be read as ratings."""


class NoRatingsError(DataError):
    """A table has no ratings, and is to be read as interactions.

    Attributes:
        counts: The column of counts that was taken for ratings, or None.
    """

    def __init__(
        self, what: str, *, expected: str, received: str, do: str, counts: str | None = None
    ) -> None:
        """Compose the message, and say where the counts are."""
        self.counts = counts
        super().__init__(
            what, expected=expected, received=received, do=f"{do}; {READERS_WITHOUT_RATINGS}"
        )


class FetchError(TastemapError, OSError):
    """A data set cannot be fetched, or the file does not match its checksum."""


class ArtifactError(TastemapError, ValueError):
    """A saved model cannot be loaded, or a save was refused."""


class StoreError(TastemapError, OSError):
    """The store of people's ratings cannot be read or written.

    Attributes:
        kind: One word for what is wrong, such as ``"locked"`` or ``"full"``.
        reason: The same as a few words that may be shown to anybody.
    """

    def __init__(self, what: str, kind: str, reason: str, received: str, do: str = "") -> None:
        """Say which store it is, what is wrong with it, and what the database said."""
        self.kind, self.reason = kind, reason
        expected = "a database that can be read and written"
        super().__init__(what, expected=expected, received=received, do=do)


class NotFittedError(TastemapError, RuntimeError):
    """A model was used before it was fitted."""


class UnsupportedError(TastemapError, TypeError):
    """A call that this kind of model cannot answer."""


class MissingPackageError(TastemapError, ImportError):
    """An optional package is needed and not installed."""


class TastemapWarning(UserWarning):
    """Base of the warnings: the call succeeds, and the message states a limit of its answer."""
