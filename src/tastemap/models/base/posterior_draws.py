"""The base of models that are draws of a posterior, and the draws as other programs take them."""

from abc import abstractmethod
from typing import NamedTuple

from tastemap.arrays import F32, F64
from tastemap.models.base.factors import HasFactors


class PosteriorDraws(NamedTuple):
    """K draws of all that the prediction of a new user's ratings needs; I items, C + 1 levels.

    In draw k the user's row is w ~ N(m_k, P_k^-1), and the cutpoints are kappa_k + delta with
    delta ~ N(0, S_k). A rating of item j is the level between whose cutpoints
    z ~ N(d_j + w . x_j, (s_k s_j)^2) falls, x_j being the item's row with 1 in the place of d_j. Of
    numbers, z is the standardised rating and there are no cutpoints. The mean row m_k is
    prior_k + (average + share (scores - average)) link_k, where the scores are the sum of the axes
    of the n items that were rated, divided by n^1/2, and
    share = (n - 1) / (n - 1 + reliable_at), or 1 where reliable_at is 0.

    The draws are turned to agree: a rotation of the factors changes no prediction.

    Attributes:
        items: (K, I + 1, D), rows (d_j, q_j, x_j); last the average item.
        item_scales: (I + 1,), s_j, the harmonic mean over all draws of the model.
        axes: (I, F), the axes of the implicit scores; average: (F,), the average scores.
        reliable_at: See above.
        link: (K, F, D). prior: (K, D).
        precision: (K, D, D), P_k.
        cuts: (K, C), kappa_k. cut_precision: (K, C, C), S_k^-1.
        scales: (K,), s_k, with the temporal effects of an unknown time.
        centre, deviation: A number is centre + deviation z.
    """

    items: F32
    item_scales: F32
    axes: F32
    average: F32
    reliable_at: float
    link: F32
    prior: F32
    precision: F64
    cuts: F32
    cut_precision: F64
    scales: F32
    centre: float
    deviation: float


class PosteriorModel(HasFactors):
    """Base of models whose predictions are averages over draws of the posterior."""

    @abstractmethod
    def posterior_draws(self, n_draws: int) -> PosteriorDraws:
        """At most so many draws, evenly spaced, moved so that their mean is that of all draws.

        With them another program answers new users, as the exported site in a browser.
        """
