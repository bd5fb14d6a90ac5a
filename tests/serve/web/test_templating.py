"""Templates: text stays text, and a name that is not given is an error."""

import pytest
from jinja2 import UndefinedError

from tastemap.data.scale import Scale
from tastemap.serve.web.templating import along, plain, signed, templates


def test_what_a_template_is_given_is_text() -> None:
    template = templates().from_string("<p>{{ title }}</p>")
    assert template.render(title="<b>") == "<p>&lt;b&gt;</p>"
    with pytest.raises(UndefinedError):
        template.render()


def test_numbers_as_they_are_written() -> None:
    assert [plain(value) for value in (4.0, 3.5)] == ["4", "3.5"]
    assert [signed(value, 1) for value in (0.25, -1.0, 0.0)] == ["+0.2", "−1.0", "+0.0"]
    assert [along(value, Scale(1, 5, 1)) for value in (1.0, 3.0, 5.0)] == [4.0, 50.0, 96.0]
