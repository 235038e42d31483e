"""How well texts are read, as whoever runs ``plainbill understand`` sees it: rules, grammar and model together."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from handlers.understanding import read, to_json
from handlers.understanding.reader import read_many
from training.corpora import MONEY, OUT_OF_SCOPE, PUBLISHED_AS, Utterance

TODAY = date(2026, 11, 3)


@dataclass(frozen=True, slots=True)
class Measure:
    """Shares of 1. ``recall`` is of texts in scope read rightly, ``left_alone`` of the others read as out of scope,
    ``false_money`` of the others taken for a wish to pay.
    """

    texts: int
    ours: int
    recall: float
    left_alone: float
    false_money: float
    told: float
    confused: Counter[tuple[str, str]]
    meant: Counter[str]
    guessed: Counter[str]


def measure(utterances: Iterable[Utterance]) -> Measure:
    given = list(utterances)
    shown = [to_json(reading, one.language)
             for reading, one in zip(read_many([(one.text, one.language) for one in given], TODAY), given, strict=True)]
    meant = [PUBLISHED_AS.get(one.label.partition("/")[0], one.label.partition("/")[0]) for one in given]
    guessed = [str(one["intent"]) for one in shown]
    pairs = list(zip(meant, guessed, strict=True))
    ours = [pair for pair in pairs if pair[0] != OUT_OF_SCOPE]
    others = [guess for name, guess in pairs if name == OUT_OF_SCOPE]
    told = [one["language"] == utterance.language for one, utterance in zip(shown, given, strict=True)]
    return Measure(
        len(given), len(ours), _share(name == guess for name, guess in ours),
        _share(guess == OUT_OF_SCOPE for guess in others), _share(guess in MONEY for guess in others), _share(told),
        Counter(pair for pair in pairs if pair[0] != pair[1]), Counter(meant), Counter(guessed))


def time_texts(texts: Sequence[str]) -> tuple[float, float]:
    """Milliseconds a text, one at a time and warm, on one core: the middle one and the slowest of a hundred."""
    read("warm up please, what do i owe", "en", TODAY)
    taken = []
    for text in texts:
        started = time.process_time()
        read(text, "en", TODAY)
        taken.append((time.process_time() - started) * 1000)
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


def measure_command(texts: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak megabytes of ``plainbill understand --jsonl`` on these texts, start included."""
    started = time.monotonic()
    code = ("import sys; from bot.__main__ import main\n"
            "sys.argv[1:] = ['understand', '--jsonl', '--today', '2026-11-03']\n"
            "try:\n main()\nfinally:\n"
            " peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
            " print(peak.split()[1], file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", code], input="\n".join(texts), text=True, capture_output=True,
                          check=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    return time.monotonic() - started, int(done.stderr.split()[-1]) / 1024


def _share(hits: Iterable[bool]) -> float:
    found = list(hits)
    return sum(found) / len(found) if found else 0.0
