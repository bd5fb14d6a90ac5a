"""``Confidence``: how much a like of some weight counts beside a like of the mean."""

from typing import NamedTuple

import numpy as np

from tastemap.arrays import F32, F64, FloatArray

# From the form that looks least at weights to the one that looks most; an artifact holds the place.
FORMS = ("equal", "logarithmic", "linear")


class Confidence(NamedTuple):
    """f(w), the confidence of a like of weight w; its mean over the training likes is 1.

    References:
        Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008,
        section 4 (linear), equation 6 (logarithmic).

    Forms:
        equal: f(w) = 1; linear: f(w) = w / (unit mean); logarithmic: f(w) = log(1 + w / unit) /
        mean. The unit is the median weight, so that weights in other units give the same f.

    Attributes:
        form: One of `FORMS`.
        unit: The median weight of the training likes, above 0.
        mean: Mean of w / unit, or of its logarithm, over the training likes; above 0.

    Example:
        >>> confidence = Confidence.of("linear", np.array([1.0, 2.0, 9.0]))
        >>> confidence(np.array([1.0, 2.0, 9.0])).tolist()
        [0.25, 0.5, 2.25]
    """

    form: str = FORMS[0]
    unit: float = 1.0
    mean: float = 1.0

    @classmethod
    def of(cls, form: str, weight: FloatArray) -> "Confidence":
        """A form for training likes of these weights (n,); equal if not all are above 0."""
        if form == FORMS[0] or not len(weight) or not weight.min() > 0:
            return cls()
        unscaled = cls(form, float(np.median(weight)))
        return unscaled._replace(mean=float(unscaled._grown(weight).mean()))

    def __call__(self, weight: FloatArray) -> F32:
        """f(w) (n,) of weights (n,); those below 0 count as 0."""
        if self.form == FORMS[0]:
            return np.ones(len(weight), dtype=np.float32)
        return (self._grown(weight) / self.mean).astype(np.float32)

    def _grown(self, weight: FloatArray) -> F64:
        ratio = np.maximum(weight, 0).astype(np.float64) / self.unit
        return ratio if self.form == "linear" else np.log1p(ratio)

    def to_array(self) -> F64:
        """Form, unit and mean as numbers (3,), for the artifact."""
        return np.array([FORMS.index(self.form), self.unit, self.mean])

    @classmethod
    def from_array(cls, numbers: FloatArray) -> "Confidence":
        """The confidence from the numbers (3,) that `to_array` gave.

        Raises:
            ValueError: If they are not a form, and a unit and a mean above 0.
        """
        form, unit, mean = (float(number) for number in numbers)
        if form not in range(len(FORMS)) or not (0 < unit < np.inf and 0 < mean < np.inf):
            raise ValueError(f"a confidence of {numbers}")
        return cls(FORMS[int(form)], unit, mean)
