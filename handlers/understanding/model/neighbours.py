"""The texts of our corpora that mean most nearly the same, and what they vote for.

The logistic layer knows which words go with which class; the neighbours know whole sentences, and that nothing like a
text was ever written. Vectors are the encoder's, on fewer axes and in whole numbers, so that they are small to ship.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

NEAREST = 12
SHARPNESS = 0.05
"""How fast a neighbour's vote fades with distance: at a cosine lower by this much it counts e times less."""
FLOOR = 1e-4
"""What every class gets without a vote; when no neighbour is near, all of them are about alike."""
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Neighbours:
    """``axes`` is 512 x few, ``texts`` are unit rows on these axes, ``labels`` their classes by number."""

    centre: Floats
    axes: Floats
    texts: Floats
    labels: NDArray[np.intp]


def from_arrays(held: Mapping[str, Any]) -> Neighbours:
    """From what weights.npz holds under ``near/``."""
    import numpy as np

    texts = held["near/texts"].astype(np.float32)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    return Neighbours(held["near/centre"].astype(np.float32), held["near/axes"].astype(np.float32), texts,
                      held["near/labels"].astype(np.intp))


def project(vectors: Floats, centre: Floats, axes: Floats) -> Floats:
    """Unit rows on the few axes."""
    import numpy as np

    rows = (vectors - centre) @ axes
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def vote(near: Neighbours, vectors: Floats, classes: int) -> Floats:
    """Likelihoods by class from the NEAREST neighbours, a row a text."""
    import numpy as np

    likely = np.full((len(vectors), classes), FLOOR, np.float32)
    for start in range(0, len(vectors), AT_ONCE):
        close = project(vectors[start:start + AT_ONCE], near.centre, near.axes) @ near.texts.T
        best = np.argpartition(-close, NEAREST, axis=1)[:, :NEAREST]
        weights = np.exp((np.take_along_axis(close, best, axis=1) - 1) / SHARPNESS)
        for row, (places, given) in enumerate(zip(best, weights, strict=True), start):
            np.add.at(likely[row], near.labels[places], given)
    return np.asarray(likely / likely.sum(axis=1, keepdims=True), np.float32)


def blend(likely: Floats, votes: Floats) -> Floats:
    """The geometric mean of two opinions: a class needs both."""
    import numpy as np

    both = np.sqrt((likely + 1e-6) * (votes + 1e-6))
    return np.asarray(both / both.sum(axis=1, keepdims=True), np.float32)
