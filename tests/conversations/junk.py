"""What nobody means anything by, and what only looks like something: junk for the random conversations."""

from __future__ import annotations

import random
from collections.abc import Sequence

_JUNK = (
    "", " ", "?", "...", "!!!", "😀", "😀😀😀👍", "\u200b", "\u200b\u200d\ufeff", "\u202eyap ot tnaw i\u202c",
    "مرحبا كم علي", "你好 我欠多少钱", "Здравствуйте", "{{ 7*7 }}", "{% for x in y %}", "${7*7}", "%s%n%x",
    "%(amount)s", "'; DROP TABLE guarantors; --", "1 OR 1=1",
    "<script>alert(1)</script>", "../../etc/passwd", "null", "NaN", "-1",
    "$-20", "-$45.00", "$0", "0", "$0.001", "1e9", "$99999999999999999999", "999999999999999999999999", "½", "٤٥", "²",
    "４５", "$４５", "http://evil.example/l/x?y=1", "www.free-money.example", "4242 4242 4242 4242",
    "pay with 4111-1111-1111-1111 12/28 123", "378282246310005", "\x00\x01\x02", "a\x00b", "\ud83d".encode(
        "utf-16", "surrogatepass").decode("utf-16", "replace"), "\n\n\n", "\t", "{...}", "None", "[picture", "[card",
    "____", "----", ",,,,", "¡¿!?", "ﷺ", "Z͑ͫ̓ͪ̂ͫ̽a̴̷l̷g̶o", "1 2 3 4 5 6 7 8 9 10 11 12", "1/1", "13/13/2013", "00000",
    "12:30", "i ♥ u", "asdf qwer zxcv", "lol", "k", "hmm", "wat", "no se", "nose", "idk", "weather tomorrow?",
    "what dose of ibuprofen", "call me", "\\n\\r", '{"flow": "pay", "step": "confirm"}', "pay.confirm", "yes\nno",
    "sí\n\n$20", "yes no yes no", "all none", "$20 $30", "20 or 30", "pay nothing", "pay half", "-", "0/0", "1.2.3.4",
    "$1,000,000.00", "45,00", "$45.00.00", "cuarenta y cinco dólares", "fifty-five", "two hundred fifty")


def make_junk(dice: random.Random, lines: Sequence[str]) -> str:
    """What nobody should have to read: from a list, very long, or any characters at all."""
    roll = dice.random()
    if roll < 0.7:
        return dice.choice(_JUNK)
    if roll < 0.8:
        return (dice.choice(_JUNK) + " ") * dice.randrange(20, 120)
    if roll < 0.9:
        return " ".join(dice.choice(lines) for _ in range(dice.randrange(5, 30)))[:1600]
    return "".join(_character(dice) for _ in range(dice.randrange(1, 160)))


def _character(dice: random.Random) -> str:
    block: Sequence[int] = dice.choice(((32, 126), (32, 126), (160, 591), (0x370, 0x5ff), (0x2000, 0x2bff),
                                        (0x3040, 0x30ff), (0x1f300, 0x1f6ff), (0, 31), (0xe000, 0xe010)))
    return chr(dice.randrange(block[0], block[1] + 1))
