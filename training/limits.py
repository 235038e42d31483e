"""How sure is sure enough, by class: from kept-back texts that neither fit has seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.corpora import MONEY, OUT_OF_SCOPE, PUBLISHED_AS
from training.vectors import Floats

LOST = 0.001
"""Share of the kept-back texts in scope that a threshold may cost."""
FALSE_MONEY = 0.004
"""Share of foreign texts that may be taken for a wish to pay; the goal on unseen ones is 0.005."""
LOWEST, MONEY_LOWEST, HIGHEST = 0.12, 0.395, 0.6


def choose_limits(classes: tuple[str, ...], likely: Floats, labels: Sequence[str]) -> Floats:
    """One threshold for every class, and a higher one for those that ask for money."""
    guessed = np.array(classes)[likely.argmax(axis=1)]
    sure = likely.max(axis=1)
    meant = np.array([PUBLISHED_AS.get(label, label) for label in labels])
    ours = meant != OUT_OF_SCOPE
    right = np.array([PUBLISHED_AS.get(str(name), str(name)) for name in guessed]) == meant
    steps = np.arange(LOWEST, HIGHEST, 0.01)
    common = max((step for step in steps if (right & ours & (sure < step)).sum() <= LOST * ours.sum()), default=LOWEST)
    takes_money = np.isin(guessed, list(MONEY)) & ~ours
    careful = next((step for step in steps if step >= max(common, MONEY_LOWEST)
                    and (takes_money & (sure >= step)).sum() <= FALSE_MONEY * (~ours).sum()), HIGHEST)
    return np.array([careful if name in MONEY else common for name in classes], np.float32)
