"""tastemap export; the site itself is tested in tests/serve/test_static_site.py."""

from pathlib import Path

from commands import ask, run


def test_the_site_is_written_and_other_folders_are_left_alone(folder: Path, tmp_path: Path) -> None:
    facts = ask("export", folder / "bias", tmp_path / "site", "--noun", "opera")
    assert '"plural":"operas"' in (tmp_path / "site" / "data.js").read_text(encoding="utf-8")
    assert Path(facts["open in a browser"]).is_file()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    run("export", folder / "bias", tmp_path / "mine", code=1)
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine"
