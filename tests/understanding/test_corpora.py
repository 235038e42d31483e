"""The corpora keep their own format, and the generator makes the same sentences every time."""

from __future__ import annotations

import random
import re
from collections import defaultdict

from tests.understanding.samples import PUBLISHED_INTENTS
from training import corpora
from training.corpora import LANGUAGES, PUBLISHED_AS, key_of
from training.patterns import FILLINGS, expand, fill
from training.samples import gather
from training.typing_noise import mangle

_LEAST = 40


def test_every_intent_has_forty_utterances_in_each_language_and_texts_held_out() -> None:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for one in corpora.load_written():
        counts[one.language, one.label] += 1
    wanted = {(language, intent) for language in LANGUAGES for intent in PUBLISHED_INTENTS}
    assert {pair for pair in wanted if counts[pair] < _LEAST} == set()
    assert {(one.language, one.label) for one in corpora.load_heldout()} >= wanted


def test_every_class_is_published_under_a_published_name() -> None:
    classes = {one.label for one in (*corpora.load_written(), *corpora.load_heldout(), *corpora.load_patterns())}
    assert {PUBLISHED_AS.get(name, name) for name in classes} == set(PUBLISHED_INTENTS)


def test_hardly_any_text_stands_under_two_classes() -> None:
    labels: dict[tuple[str, str], set[str]] = defaultdict(set)
    for language in LANGUAGES:
        for path in (corpora.ROOT / "utterances" / language).rglob("*.txt"):
            for line in path.read_text("utf-8").splitlines():
                if key_of(line) and not line.startswith("#"):
                    labels[language, key_of(line)].add(path.stem)
    assert [key for key, names in labels.items() if len(names) > 1] in ([], [("en", "wrong")])


def test_every_placeholder_can_be_filled_and_none_is_left() -> None:
    for pattern in corpora.load_patterns():
        assert set(re.findall(r"\{(\w+)\}", pattern.text)) <= FILLINGS[pattern.language].keys(), pattern
        assert not re.search(r"[\[\]{}|]", fill(pattern.text, pattern.language, random.Random(1))), pattern


def test_the_same_seed_gives_the_same_training_texts() -> None:
    written, patterns = corpora.load_written()[:200], corpora.load_patterns()[:40]
    assert expand(patterns, 5) == expand(patterns, 5)
    assert gather(written, patterns, (), 5, frozenset()) == gather(written, patterns, (), 5, frozenset())
    assert gather(written, patterns, (), 5, frozenset()) != gather(written, patterns, (), 6, frozenset())


def test_a_mangled_text_keeps_its_class_and_its_language() -> None:
    chance = random.Random(3)
    for one in corpora.load_written()[::50]:
        copy = mangle(one, chance)
        assert (copy.label, copy.language, copy.origin) == (one.label, one.language, "typed")
        assert copy.text.strip()
