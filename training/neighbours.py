"""Which texts become neighbours, and their vectors on few axes in whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlers.understanding.model.neighbours import Neighbours, from_arrays, project
from training.samples import Sample
from training.vectors import Floats

AXES = 128
"""Of the encoder's 512; fewer begin to cost accuracy, more cost only room."""


def choose(samples: Sequence[Sample]) -> NDArray[np.bool_]:
    """Every written line, and one in two of the sentences from patterns and of the noise; no mangled copy."""
    return np.array([not one.typed and (one.weight == 1 or place % 2 == 0) for place, one in enumerate(samples)])


def shrink(sense: Floats, labels: NDArray[np.str_], classes: Sequence[str]) -> dict[str, Any]:
    """The arrays that weights.npz keeps. Deterministic: the axes are those along which the texts differ most."""
    number = {name: at for at, name in enumerate(classes)}
    centre = sense.mean(axis=0)
    spread, axes = np.linalg.eigh(np.cov((sense - centre).T))
    axes = axes[:, np.argsort(spread)[::-1][:AXES]].astype(np.float16).astype(np.float32)
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1, 1)  # a sign is arbitrary
    rows = project(sense, centre, axes)
    return {"near/centre": centre.astype(np.float32), "near/axes": axes.astype(np.float16),
            "near/texts": np.rint(rows * 127 / np.abs(rows).max()).astype(np.int8),
            "near/labels": np.array([number[str(label)] for label in labels], np.uint8)}


def gather_near(sense: Floats, labels: NDArray[np.str_], classes: Sequence[str]) -> Neighbours:
    """As they will be read from the file."""
    return from_arrays(shrink(sense, labels, classes))
