"""What a person says of items without a rating, in the CSV file that the application writes."""

import csv
import io

from tastemap.serve.model.catalogue import Catalogue
from tastemap.serve.people.tables import FLAGS
from tastemap.serve.schemas import ItemCard
from tastemap.support.formulas import defused_text

#: The column of the file that says what is said of an item.
FLAG_COLUMN = "flag"
# Without these columns before it, the column is another's.
COLUMNS = {"item_id", "title", FLAG_COLUMN}


def flags_of_file(content: bytes, catalogue: Catalogue) -> tuple[bytes, list[tuple[str, ItemCard]]]:
    """A file without the rows that bear a flag, and these flags, each with its item.

    An id counts where the item has the title that stands beside it: another catalogue has other
    ids. A file that the application has not written stays as it is.

    Args:
        content: The file.
        catalogue: The items.
    """
    header = content[: content.find(b"\n")].strip().split(b",")
    if not {name.encode() for name in COLUMNS} <= set(header):
        return content, []
    try:
        reader = csv.DictReader(io.StringIO(content.decode(), newline=""))
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error):
        return content, []
    rest = io.StringIO(newline="")
    writer = csv.DictWriter(rest, reader.fieldnames or [], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(row for row in rows if row[FLAG_COLUMN] not in FLAGS)
    flagged = [row for row in rows if row[FLAG_COLUMN] in FLAGS]
    ids = [_original(row["item_id"] or "") for row in flagged]
    cards = catalogue.cards(catalogue.rows_of.rows(ids).clip(min=0))
    return rest.getvalue().encode(), [
        (row[FLAG_COLUMN], card)
        for item_id, row, card in zip(ids, flagged, cards, strict=True)
        if (str(card.item_id), defused_text(card.title)) == (item_id, row["title"])
    ]


def _original(text: str) -> str:
    """An id without the apostrophe that keeps a spreadsheet from computing it."""
    return text[1:] if text.startswith("'") and defused_text(text[1:]) == text else text
