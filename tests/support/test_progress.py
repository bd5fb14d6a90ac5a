"""The progress bar: on standard error, and only where it is shown."""

import pytest

from tastemap.support.progress import progress_bar


@pytest.mark.parametrize("shown", [True, False])
def test_the_bar_is_on_standard_error_where_it_is_shown(
    shown: bool, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    monkeypatch.setenv("COLUMNS", "100")
    with progress_bar("fitting", 2, "epochs", shown) as step:
        step("error 0.9")
        step("error 0.8")
    out, err = capfd.readouterr()
    assert not out
    assert ("fitting" in err) == ("2/2" in err) == ("error 0.8" in err) == shown
