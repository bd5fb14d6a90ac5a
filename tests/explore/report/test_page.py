"""Self-contained pages: their scripts, and how they are written."""

import base64
import hashlib

import pytest

from tastemap.explore.report.page import Fragment, write_page
from tastemap.explore.report.report import Report


def test_only_the_page_s_own_scripts_may_run():
    fragment = Fragment("<i></i>", ("let a = '<>';", "let b;"))
    html = Report("x").section("y", fragment, fragment).html()
    assert html.count("let a") == html.count("let b") == 1
    for script in fragment.scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in html
    assert "script-src 'none'" in Report("x").html()


def test_writing_is_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "report.html"
    assert Report("first").write(path) == path
    assert "first" in path.read_text(encoding="utf-8")

    def full(_):
        raise OSError("disk full")

    monkeypatch.setattr("tastemap.support.atomic.os.fsync", full)
    with pytest.raises(OSError, match="disk full"):
        write_page(path, "second")
    assert "first" in path.read_text(encoding="utf-8")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
