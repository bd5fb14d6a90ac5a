"""What pages show of an item beside its numbers: cover, genres, and where else to read of it."""

from markupsafe import Markup

from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.schemas import ItemCard


class PageFaces:
    """The faces of a model's items, as templates ask for them.

    Args:
        model: The model.
    """

    def __init__(self, model: LoadedModel) -> None:
        self._rows, self._faces = model.catalogue.rows_of, model.faces

    def _row(self, item: ItemCard) -> int:
        return self._rows.row(str(item.item_id))

    def cover(self, item: ItemCard) -> Markup:
        """The cover of an item; its text is escaped."""
        return Markup(self._faces.cover(self._row(item)))  # noqa: S704 - `cover_svg` escapes

    def genres(self, item: ItemCard) -> tuple[str, ...]:
        """The genres of an item, the most telling first."""
        return self._faces.genres[self._row(item)]
