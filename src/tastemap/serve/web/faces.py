"""What pages show of an item beside its numbers: cover, genres, and where else to read of it."""

from markupsafe import Markup

from tastemap.data.nouns import item_noun
from tastemap.explore.links import COLUMNS_OF_LINKS, Link, links_of
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.schemas import ItemCard
from tastemap.serve.service import ItemDetail


class PageFaces:
    """The faces of a model's items, as templates ask for them.

    Args:
        model: The model.
    """

    def __init__(self, model: LoadedModel) -> None:
        self._rows, self._faces = model.catalogue.rows_of, model.faces
        self._noun = item_noun(model.data).singular
        self._has_titles = model.catalogue.has_titles

    def _row(self, item: ItemCard) -> int:
        return self._rows.row(str(item.item_id))

    def cover(self, item: ItemCard) -> Markup:
        """The cover of an item; its text is escaped."""
        return Markup(self._faces.cover(self._row(item)))  # noqa: S704 - `cover_svg` escapes

    def genres(self, item: ItemCard) -> tuple[str, ...]:
        """The genres of an item, the most telling first."""
        return self._faces.genres[self._row(item)]

    def links(self, detail: ItemDetail) -> list[Link]:
        """Where else one can read of an item."""
        item = detail.item
        name = (item.name or "") if self._has_titles else ""
        return links_of(self._noun, name, item.year, detail.facts, item.item_id)

    def facts(self, detail: ItemDetail) -> list[tuple[str, str]]:
        """What else is known of an item, by the words of its column; no more than links say."""
        shown = ((k, v) for k, v in detail.facts.items() if k not in COLUMNS_OF_LINKS)
        return [(column.replace("_", " "), value) for column, value in shown]
