"""The ledger of the soak sees each kind of loss, and none where there is none."""

from ledger import Tally, Writer


def test_what_is_as_before_or_as_after_the_last_write_is_not_lost() -> None:
    writer = Writer("ann")
    writer.ratings = {"1": 4.0, "2": 3.0}
    assert writer.n_lost({"1": 4.0, "2": 3.0}) == 0
    writer.pending = {"1": 5.0, "2": 3.0}
    assert writer.n_lost({"1": 4.0, "2": 3.0}) == writer.n_lost({"1": 5.0, "2": 3.0}) == 0


def test_a_rating_that_is_gone_or_back_or_another_is_lost() -> None:
    writer = Writer("ann")
    writer.ratings = {"1": 4.0, "2": 3.0}
    assert writer.n_lost({"1": 4.0}) == 1
    assert writer.n_lost({"1": 4.0, "2": 3.0, "7": 1.0}) == 1
    assert writer.n_lost({"1": 2.0, "2": 3.0}) > 0
    writer.pending = {}
    assert writer.n_lost({"1": 4.0}) == 1  # half a write


def test_a_phase_is_sound_without_losses_and_without_faults() -> None:
    good, lost, fault = Tally(3, 100), Tally(1, 5, lost=1), Tally()
    fault.unexpected["500"] += 1
    assert good.is_sound
    assert not (good + lost).is_sound
    assert not (good + fault).is_sound
    assert (good + lost).acknowledged == 105
