"""How the time of a run is shared among its steps, and what more time would bring."""

import math
import time

import polars as pl

from tastemap.evaluation.choose import Choice
from tastemap.models.base.recommender import Recommender
from tastemap.support.deadline import current

# The chosen model is fitted for the choice, for the test if there is time, and on all ratings: more
# ratings each time. In units of the first of the three: the second, the last, and what a choice
# reckons with, which is the first and the last and a little for the answers.
TEST_FIT, LAST_FIT, N_FITS = 1.25, 1.4, 2.5
# Of the time that is left after the choice, the share of the fit for the test.
SHARE_OF_TEST = 0.45
# An evaluation predicts the test ratings so many times: mean, median, distribution.
ANSWERS_OF_TEST = 3
# Seconds of the processor that the figures, the tables, the report and the files take: at least,
# and per such second that the description of the data took; and the largest share of all seconds.
MIN_SECONDS_OF_REPORT, REPORT_PER_DESCRIPTION, MAX_SHARE_OF_REPORT = 2.0, 2.0, 0.35
# The share of it that is left after the figures of the test.
REPORT_AFTER_TEST = 0.6
# A last fit with less than this share of the iterations of the tested fit is worth less.
MIN_SHARE_OF_ITERATIONS = 0.5
# About the seconds of the processor of the map: at least, and for each item; and the largest share
# of the time that is left for it.
MIN_SECONDS_OF_MAP, MAP_SECONDS_OF_ITEM, MAX_SHARE_OF_MAP = 2.0, 0.0015, 0.25
# Where reading has taken all the time, the baseline is still fitted; and no time is divided by 0.
MIN_SECONDS = 0.001
# The advised time is rounded up to a multiple of this.
STEP_OF_ADVICE = 10


class Schedule:
    """The seconds of each step of a run, until the deadline around it.

    Each step asks anew: what an earlier one has taken longer, the later ones lack.

    Args:
        n_items: Number of items, for the map.
        has_map: Whether there may be a map, for which time is left.

    Attributes:
        seconds: Those of the run from now on.
        report_seconds: About those of what is still to come of the report.
        map_seconds: About those of the map.
    """

    def __init__(self, n_items: int, *, has_map: bool) -> None:
        self.seconds, self.report_seconds = current().seconds_left, MIN_SECONDS_OF_REPORT
        self.processor_seconds = time.process_time()
        self.map_seconds = MIN_SECONDS_OF_MAP + MAP_SECONDS_OF_ITEM * n_items
        self.has_map = has_map

    def note_description(self) -> None:
        """The data is described: from its time follows that of the report, and of the map.

        A busy machine makes several seconds of one second of the processor, and of those to come.
        """
        if math.isfinite(self.seconds):
            described = max(time.process_time() - self.processor_seconds, MIN_SECONDS)
            slowness = max((self.seconds - current().seconds_left) / described, 1.0)
            needed = slowness * (MIN_SECONDS_OF_REPORT + REPORT_PER_DESCRIPTION * described)
            self.report_seconds = min(needed, MAX_SHARE_OF_REPORT * self.seconds)
            self.map_seconds *= slowness

    def note_test(self) -> None:
        """The test is done and drawn: less of the report is to come."""
        self.report_seconds *= REPORT_AFTER_TEST

    @property
    def for_fit(self) -> float:
        """Seconds that are left for fits and tests, above those of the map and the report."""
        is_drawn = self.has_map and self.map_seconds <= MAX_SHARE_OF_MAP * self.seconds
        later = self.report_seconds + (self.map_seconds if is_drawn else 0.0)
        return max(current().seconds_left - later, 0.0)

    @property
    def seconds_spent(self) -> float:
        """Seconds of all that is no choice: passed by now, and of the map and the report."""
        return self.seconds - self.for_fit

    @property
    def for_choice(self) -> float:
        """Seconds of `tastemap.evaluation.choose.choose`, which reckons with the later fits."""
        return max(self.for_fit, MIN_SECONDS)

    def for_test(self, fit_seconds: float, judging_seconds: float, *, is_last: bool) -> float:
        """Seconds of the fit for the test; 0 if the last fit needs all the time that is left.

        Args:
            fit_seconds: Seconds of a whole fit for the choice.
            judging_seconds: Seconds in which the model predicts the test ratings once.
            is_last: Whether no other fit follows.
        """
        left = max(self.for_fit - ANSWERS_OF_TEST * judging_seconds, 0.0)
        if is_last:
            return left
        return SHARE_OF_TEST * left if left >= (TEST_FIT + LAST_FIT) * fit_seconds else 0.0

    def has_time_for_fit(self, least_seconds: float) -> bool:
        """Whether a fit on all ratings can be done, given the least seconds of one for the choice.

        The map is left out for it, and the report may be late.
        """
        return LAST_FIT * least_seconds <= current().seconds_left

    @property
    def for_map(self) -> float:
        """Seconds of the map; 0 if that is too little, for it is drawn whole or not at all."""
        left = current().seconds_left - self.report_seconds
        return left if left >= self.map_seconds else 0.0


def is_cut_short(model: Recommender, tested: Recommender) -> bool:
    """Whether a fit was stopped so much earlier than the tested fit that this is the better one."""
    shares = [done / planned for done, planned in (m.stopped_ or (1, 1) for m in (model, tested))]
    return shares[0] < MIN_SHARE_OF_ITERATIONS * shares[1]


def advice(choice: Choice, seconds: float, total: float) -> dict[str, str]:
    """What more time would bring: a sentence for each model that was not tried whole, by its name.

    Args:
        choice: The result of `choose`.
        seconds: Seconds of a run beside those of the choice.
        total: Seconds of the whole run.
    """
    texts = {}
    for row in choice.frame.filter(pl.col("state").is_in(["skipped", "stopped"])).to_dicts():
        would = "try" if row["state"] == "skipped" else "finish"
        if row["wanted"] is not None:
            wanted = max(row["wanted"] + seconds, total + STEP_OF_ADVICE)
            wanted = math.ceil(wanted / STEP_OF_ADVICE) * STEP_OF_ADVICE
            texts[row["model"]] = f"--seconds {wanted} would {would} {row['model']} too"
        elif row["estimated"] is not None or row["note"] == "no time was left":
            texts[row["model"]] = f"more --seconds would {would} {row['model']} too"
    return texts
