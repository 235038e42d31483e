"""Fit the logistic layer with scikit-learn and keep it as plain arrays; nothing of scikit-learn is needed to use it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from handlers.understanding import fixed
from handlers.understanding.folding import fold
from handlers.understanding.model import features
from handlers.understanding.model.classify import SHORTEST_MENDED
from training.corpora import OUT_OF_SCOPE
from training.samples import Sample
from training.vectors import Floats, count_all, encode_all, measure_rarity, stack_words

STRENGTH = 10.0
"""Inverse of the penalty on large weights; chosen on held-back lines and CLINC150's training half."""
ROUNDS = 70
TOLERANCE = 1e-5
"""So small that the number of rounds decides: rare classes are learnt last, and must not be left out."""
SEEN = 2
FREQUENT = 12
LIFT = {"en": 2.2, "es": 1.2}
"""Taken off the logit of out_of_scope: almost all noise is English, and weighs on that language most."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One fitted layer: ``words`` buckets x classes, ``sense`` 512 x classes or None, ``bias`` by class."""

    classes: tuple[str, ...]
    words: Floats
    sense: Floats | None
    bias: Floats


@dataclass(frozen=True, slots=True)
class Rows:
    """The samples as the fit sees them."""

    idf: Floats
    words: Any
    sense: Floats
    labels: NDArray[np.str_]
    is_spanish: NDArray[np.bool_]
    weights: Floats
    kept_back: NDArray[np.bool_]
    vocabulary: NDArray[np.bool_]


def prepare(samples: Sequence[Sample]) -> Rows:
    texts = [one.text for one in samples]
    counted = count_all(texts)
    idf = measure_rarity(counted)
    return Rows(idf, stack_words(counted, idf), encode_all(texts), np.array([one.label for one in samples]),
                np.array([one.language == "es" for one in samples]),
                np.array([one.weight for one in samples], np.float32),
                np.array([one.kept_back for one in samples]), _know_words(samples))


def _know_words(samples: Sequence[Sample]) -> NDArray[np.bool_]:
    """The words that at least two texts have: what a thumb slipped on is none."""
    times = Counter(place for one in samples if not one.typed for place in set(features.vocabulary_places(one.text)))
    known = np.zeros(features.VOCABULARY_BITS, bool)
    known[[place for place, count in times.items() if count >= SEEN]] = True
    return known


def list_words(samples: Sequence[Sample]) -> list[str]:
    """Words that a mistyped one may be mended to, frequent ones first; never a word that stops or starts messages."""
    times = Counter(word for one in samples if not one.typed
                    for word in features.plain(one.text).split() if word.isalpha())
    never = fixed.OPT_OUT | fixed.UNCLEAR | fixed.OPT_IN
    return [word for word, count in sorted(times.items(), key=lambda item: (-item[1], item[0]))
            if count >= FREQUENT and len(word) >= SHORTEST_MENDED - 1 and fold(word) not in never]


def fit_twice(rows: Rows) -> Iterator[Layer]:
    """The layer without what was kept back, then, going on from there, with everything. A minute or two each."""
    seen = sparse.hstack([sparse.csr_matrix(rows.sense), rows.words]).tocsr()
    logistic = LogisticRegression(C=STRENGTH, max_iter=ROUNDS, tol=TOLERANCE, warm_start=True)
    for chosen in (~rows.kept_back, np.ones(len(rows.labels), bool)):
        logistic.fit(seen[chosen], rows.labels[chosen], sample_weight=rows.weights[chosen])
        across = logistic.coef_.T.astype(np.float32)
        width = rows.sense.shape[1]
        yield Layer(tuple(map(str, logistic.classes_)), across[width:], across[:width],
                    logistic.intercept_.astype(np.float32))


def fit_words(rows: Rows) -> Layer:
    """The layer for where there is no encoder."""
    logistic = LogisticRegression(C=STRENGTH, max_iter=ROUNDS, tol=TOLERANCE)
    logistic.fit(rows.words, rows.labels, sample_weight=rows.weights)
    return Layer(tuple(map(str, logistic.classes_)), logistic.coef_.T.astype(np.float32), None,
                 logistic.intercept_.astype(np.float32))


def fit_language(rows: Rows) -> tuple[Floats, np.float32]:
    """Spanish against English from the words alone: weights by bucket and a bias."""
    fitted = LogisticRegression(C=STRENGTH, max_iter=ROUNDS, tol=TOLERANCE).fit(rows.words, rows.is_spanish)
    return fitted.coef_[0].astype(np.float32), np.float32(fitted.intercept_[0])


def weigh(layer: Layer, words: Any, sense: Floats, is_spanish: Floats, lift: dict[str, float]) -> Floats:
    """Logits, a row a text; as classify computes them."""
    logits = words @ layer.words + layer.bias
    if layer.sense is not None:
        logits = logits + sense @ layer.sense
    logits[:, layer.classes.index(OUT_OF_SCOPE)] -= lift["en"] * (1 - is_spanish) + lift["es"] * is_spanish
    return np.asarray(logits, np.float32)


def soften(logits: Floats, temperature: float) -> Floats:
    raised = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)


def find_temperature(layer: Layer, logits: Floats, labels: Sequence[str]) -> float:
    """The one that makes the likelihoods of kept-back texts come true most (least cross-entropy)."""
    known = {name: at for at, name in enumerate(layer.classes)}
    right = np.array([known[label] for label in labels])
    losses = {step / 20: -np.log(soften(logits, step / 20)[np.arange(len(right)), right] + 1e-9).mean()
              for step in range(8, 41)}
    return min(losses, key=lambda temperature: losses[temperature])


def save(path: Path, rows: Rows, layers: dict[str, Layer], limits: Floats, language: tuple[Floats, np.float32],
         near: dict[str, Any], meta: dict[str, Any]) -> None:
    """Write weights.npz: numbers and one line of JSON, no pickled object; the same input gives the same arrays."""
    arrays: dict[str, Any] = {**near, "idf": rows.idf.astype(np.float16), "limits": limits,
                              "vocabulary": np.packbits(rows.vocabulary)}
    for name, layer in layers.items():
        together = np.column_stack([layer.words, language[0]])
        scale = np.abs(together).max(axis=0) / 127
        arrays |= {f"{name}/words": np.rint(together / scale).astype(np.int8),
                   f"{name}/scale": scale.astype(np.float32),
                   f"{name}/bias": np.append(layer.bias, language[1]).astype(np.float32)}
        if layer.sense is not None:
            arrays[f"{name}/sense"] = layer.sense.astype(np.float16)
    arrays["meta"] = np.frombuffer(json.dumps(meta, sort_keys=True).encode(), np.uint8)
    np.savez_compressed(path, **arrays)
