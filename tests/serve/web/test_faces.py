"""Pages draw covers, and name the genres that say most first."""

from tastemap.serve.model.reload import LiveModel
from tastemap.serve.web.faces import PageFaces


def test_a_card_has_the_cover_and_the_genres_of_its_item(live: LiveModel) -> None:
    model = live.current
    faces = PageFaces(model)
    for row in (0, 5):
        (card,) = model.catalogue.cards([row])
        assert faces.cover(card) == model.faces.cover(row)
        assert sorted(faces.genres(card)) == sorted(card.genres)
    assert "<script" not in faces.cover(model.catalogue.cards([0])[0]), "the title is a script"
