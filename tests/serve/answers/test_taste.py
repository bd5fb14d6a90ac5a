"""A person's taste, beside what others give."""

from tastemap.serve.service import Service


def test_taste_speaks_of_what_differs_from_others(service: Service) -> None:
    mine = {str(n): 5.0 for n in range(2, 12, 2)} | {str(n): 1.0 for n in range(3, 13, 2)}
    taste = service.taste(mine)
    assert [leaning.name for leaning in taste.genres] == ["Drama", "Comedy"]
    assert taste.genres[0].difference > 0 > taste.genres[1].difference
    assert "You rate Drama higher than others do." in taste.sentences
    assert taste.likes
    assert all(item.your_rating == 5 for item in taste.likes)
    assert service.taste({}).n == 0
