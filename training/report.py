"""docs/understanding.md, written by measuring; nothing in it is typed by hand but the words around the numbers."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from handlers.understanding.model.classify import KNOWN, WEIGHTS, describe, model_name
from training import corpora
from training.corpora import key_of
from training.measure import Measure, measure, measure_command, time_texts
from training.noise import PublicSet

_WORDS = Path(__file__).with_name("report.md")
TIMED = 600


def write_report(path: Path, public: Sequence[PublicSet]) -> None:
    """Measures the weights as they stand and writes ``path`` anew."""
    heldout = corpora.load_heldout()
    known = {(one.language, key_of(one.text)) for one in corpora.load_written()}
    unseen = [one for one in heldout if (one.language, key_of(one.text)) not in known]
    sets = [(f"held out, {name}", measure(one for one in unseen if one.language == code))
            for code, name in (("en", "English"), ("es", "Spanish"))]
    whole = measure(unseen)
    for one in public:
        sets.append((f"{one.name}: validation part", measure([*one.validation_mapped, *one.validation_noise])))
    texts = [one.text for one in heldout]
    middle, slow = time_texts(texts[::max(1, len(texts) // TIMED)])
    seconds, megabytes = measure_command((texts * 10)[:10_000])
    path.write_text(_WORDS.read_text("utf-8").format(
        model=model_name(), accuracy=_accuracy(sets), classes=_classes(whole), confusion=_confusion(whole),
        noise=_noise(), samples=describe()["samples"], texts=len(unseen), seen=len(heldout) - len(unseen),
        utterances=len(corpora.load_written()), patterns=len(corpora.load_patterns()), middle=f"{middle:.1f}",
        slow=f"{slow:.1f}", seconds=f"{seconds:.0f}", megabytes=f"{megabytes:.0f}", known=KNOWN,
        size=f"{WEIGHTS.stat().st_size / 1e6:.1f}", fingerprint=describe()["corpora"][:16]), "utf-8")
    for name, found in sets:
        sys.stdout.write(f"{name}: recall {found.recall:.3f}, left alone {found.left_alone:.3f}, "
                         f"money {found.false_money:.4f}\n")


def _accuracy(sets: list[tuple[str, Measure]]) -> str:
    lines = ["| Texts | of ours | recall | others | left alone | taken for a wish to pay | language told |",
             "|---|---|---|---|---|---|---|"]
    for name, one in sets:
        others = one.texts - one.ours
        lines.append(f"| {name} | {one.ours} | {_percent(one.recall)} | {others} | "
                     f"{_percent(one.left_alone) if others else ''} | {_percent(one.false_money) if others else ''} | "
                     f"{_percent(one.told)} |")
    return "\n".join(lines)


def _classes(found: Measure) -> str:
    lines = ["| Intent | texts | recall | precision |", "|---|---|---|---|"]
    for name in sorted(found.meant):
        missed = _sum(found.confused, 0, name)
        wrong = _sum(found.confused, 1, name)
        precision = (found.guessed[name] - wrong) / found.guessed[name] if found.guessed[name] else 0.0
        recall = 1 - missed / found.meant[name]
        lines.append(f"| {name} | {found.meant[name]} | {_percent(recall)} | {_percent(precision)} |")
    return "\n".join(lines)


def _confusion(found: Measure) -> str:
    lines = ["| Meant | Read as | Times |", "|---|---|---|"]
    lines += [f"| {meant} | {guess} | {times} |"
              for (meant, guess), times in sorted(found.confused.items(), key=lambda item: (-item[1], item[0]))]
    return "\n".join(lines)


def _noise() -> str:
    held = describe()["noise"]
    if not held:
        return "These weights were trained **without** public noise: out of scope is known from our own texts alone."
    return "\n".join(f"- `{name}`: {one['texts']} texts, SHA-256 `{one['sha256']}`"
                     for name, one in sorted(held.items()))


def _sum(confused: Counter[tuple[str, str]], side: int, name: str) -> int:
    return sum(times for pair, times in confused.items() if pair[side] == name)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
