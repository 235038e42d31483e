"""Whether other words may stand in for a message's: the checks that its own words had to pass, for words that somebody
of the practice writes. The same are asked of every file by tests/words.

Words may hold what the file's own may: its placeholders, each through its filter, and conditions about them. Nothing
else of the template language, so that words can neither reach into the program nor keep it busy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from jinja2 import TemplateSyntaxError, meta, nodes

from billing.policy import wording
from templates import segments
from templates.examples import arguments
from templates.readability import LEAST_EASE, MOST_GRADE, ease_spanish, grade_english
from templates.render import TemplateError, environment, offers, render
from templates.source import OwnWords, Source, shipped, speaking

#: The longest words that anybody needs; a letter's are the longest that there are.
MOST = 4000
#: Conditions in conditions that a message may have; deeper ones are for a machine to read.
_MOST_DEEP = 4
_MOST_SEGMENTS = 3
_FILTER = {"money": ("money",), "date": ("day", "short_day"), "moment": ("moment",), "phone": ("phone",),
           "hours": ("hours",)}
_ALLOWED = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Filter, nodes.If, nodes.For, nodes.Test,
            nodes.Compare, nodes.Operand, nodes.Const, nodes.Not, nodes.And, nodes.Or, nodes.Getattr, nodes.CondExpr)
_FILTERS = frozenset({"card", "day", "foreign_line", "hours", "length", "listing", "moment", "money", "month",
                      "of_visits", "often", "own_hours", "phone", "sentence", "short_day", "visit_month", "written"})

#: What carriers take for STOP (T-09), and what threatens or shames (T-15).
_LEAVING = re.compile(r"\b(cancel\w*|end|quit|revoke|unsubscribe|cancelar|terminar|salir|fin|alto|baja|parar)\b", re.I)
_HARSH = re.compile(r"\b(must|failure|failed to|overdue|past due|delinquent|collections?|legal action|credit report|"
                    r"final notice|immediately|urgent|debt|penalty|debe inmediatamente|morosa?o?|cobranza|deuda|multa|"
                    r"vencid[oa]|demanda|obligad[oa]|ultimo aviso)\b", re.I)
#: Words that somebody's safety or right hangs on: where the file has one, the new words have it.
_KEPT = ("STOP", "HELP", "START", "988", "911")
_ADDRESS = re.compile(r"https?://\S*|\bwww\.\S*|\b[a-z0-9-]+\.(?:com|org|net|us|gov|ly|gl|co|cc|me|io)\b\S*", re.I)


@dataclass(frozen=True, slots=True)
class Fault:
    """``code`` says what is wrong, ``detail`` where: a placeholder, a word, a number."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """The words with typical arguments as a phone shows them. ``level_tenths``: school grade in English, ease (0 to
    100) in Spanish, in tenths.
    """

    body: str
    segments: int
    encoding: str
    characters: int
    level_tenths: int
    easy: bool


def check(name: str, language: str, text: str) -> list[Fault]:
    """Everything that is wrong with ``text`` as the words of a message; empty: it may be read by a second person.

    Raises TemplateError for a message that there is not.
    """
    file = shipped(name, language)
    return check_language(name, language, text) or list(dict.fromkeys(_said_faults(file, text)))


def check_language(name: str, language: str, text: str) -> list[Fault]:
    """What has to be right before words are filled in at all: nothing else in them may run. Raises TemplateError for a
    message that there is not.
    """
    file = shipped(name, language)
    if not text.strip() or len(text) > MOST:
        return [Fault("length", str(MOST))]
    try:
        tree = environment(language).parse(text)
        # In this order: looking for names already works out what is written out, such as 9 ** 9 ** 9.
        return [*_depth_faults(tree, 0), *_forbidden_faults(tree)] or list(_name_faults(file, tree))
    except TemplateSyntaxError as error:
        return [Fault("syntax", f"{error.lineno}")]
    except RecursionError:  # brackets in brackets, hundreds of them
        return [Fault("syntax")]


def _depth_faults(node: nodes.Node, depth: int, looping: bool = False) -> Iterator[Fault]:
    """Loops in loops take time without end, and so may conditions in conditions to compile."""
    if depth > _MOST_DEEP or (looping and isinstance(node, nodes.For)):
        yield Fault("forbidden", type(node).__name__.lower())
        return
    deeper = depth + isinstance(node, nodes.If | nodes.For)
    for child in node.iter_child_nodes():
        yield from _depth_faults(child, deeper, looping or isinstance(node, nodes.For))


def measure(name: str, language: str, text: str) -> Measured:
    """Raises TemplateError for words that cannot be filled in."""
    body = _said(name, language, text, "sms")
    found = segments.count(body)
    level = _level(name, language, text)
    return Measured(body, found.count, found.encoding, found.characters, round(level * 10), _is_easy(language, level))


def _forbidden_faults(tree: nodes.Template) -> Iterator[Fault]:
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED) or (isinstance(node, nodes.Getattr) and node.attr.startswith("_")):
            yield Fault("forbidden", type(node).__name__.lower())
        elif isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            yield Fault("forbidden", node.name)
        elif isinstance(node, nodes.For) and not isinstance(node.iter, nodes.Name):
            yield Fault("forbidden", "for")


def _name_faults(file: Source, tree: nodes.Template) -> Iterator[Fault]:
    used, declared = meta.find_undeclared_variables(tree), file.types
    yield from (Fault("unknown", one) for one in sorted(used - declared.keys()))
    yield from (Fault("missing", one) for one in sorted(declared.keys() - used))
    for output in tree.find_all(nodes.Output):
        yield from (Fault("filter", one) for node in output.nodes if (one := _bare(node, file)))


def _bare(node: nodes.Expr, file: Source) -> str:
    """A placeholder that is printed without the filter of its type, or with another one."""
    if isinstance(node, nodes.Name):
        return node.name if file.types.get(node.name, "").removesuffix("?") in _FILTER else ""
    if isinstance(node, nodes.Filter) and isinstance(node.node, nodes.Name):
        wanted = _FILTER.get(file.types.get(node.node.name, "").removesuffix("?"))
        return node.node.name if wanted is not None and node.name not in wanted else ""
    return ""


def _said_faults(file: Source, text: str) -> Iterator[Fault]:
    """What is wrong with the words once they are filled in."""
    name, language = file.name, file.language
    try:
        plain, sent = _said(name, language, text, "web"), _said(name, language, text, "sms")
        before = _said(name, language, file.text, "web")
    except TemplateError:
        yield Fault("syntax")
        return
    yield from _harm_faults(file, plain)
    known = {*_harm_faults(file, _written(language, file.text))}
    yield from (one for one in _harm_faults(file, _written(language, text)) if one not in known)
    yield from (Fault("kept", one) for one in _KEPT if one in before and one not in plain)
    yield from (Fault("address", one) for one in sorted({*_ADDRESS.findall(text)} - {*_ADDRESS.findall(file.text)}))
    if before.startswith("Maple Clinic: ") and not plain.startswith("Maple Clinic: "):
        yield Fault("practice")
    if wording.introduces(before, "Maple Clinic") and not wording.introduces(plain, "Maple Clinic"):
        yield Fault("introduces")
    if wording.says_opt_out(before) and not wording.says_opt_out(plain):
        yield Fault("opt_out")
    yield from (Fault("button", label) for label, says in file.buttons
                if label != "#" and offers(before, says) and not offers(plain, says))
    yield from _size_faults(file, text, sent)
    level = _level(name, language, text)
    if not _is_easy(language, level):
        yield Fault("hard", str(round(level)))


def _harm_faults(file: Source, said: str) -> Iterator[Fault]:
    yield from (Fault("leaving", one[0]) for one in _LEAVING.finditer(said))
    yield from (Fault("harsh", one[0]) for one in _HARSH.finditer(said))
    yield from (Fault("harsh", one) for one in wording.bad_words(said))
    if file.privacy == "open" and "$" in said.replace("$25.00", ""):
        yield Fault("amount")


def _written(language: str, text: str) -> str:
    """Every word that stands there, also where a condition leaves it out of the example."""
    tree = environment(language).parse(text)
    return "\n".join([*(one.data for one in tree.find_all(nodes.TemplateData)),
                      *(str(one.value) for one in tree.find_all(nodes.Const))])


def _size_faults(file: Source, text: str, sent: str) -> Iterator[Fault]:
    """Texts are billed by the segment: other words cost no more than the file's own."""
    if file.name.startswith(("email_", "letter_")):
        return
    found = segments.count(sent)
    most = max(segments.count(_said(file.name, file.language, file.text, "sms")).count, 1)
    if found.count > min(most, _MOST_SEGMENTS):
        yield Fault("segments", f"{found.count} > {most}")
    if found.encoding != "GSM-7" and found.count > 1:
        yield Fault("letters", "".join(sorted({one for one in sent if one not in segments.GSM7
                                               and one not in segments.GSM7_EXTENDED})))


def _said(name: str, language: str, text: str, channel: str) -> str:
    own = OwnWords(text, shipped(name, language).version)
    with speaking({(name, language): own}):
        return render(name, language, arguments(name, language), channel).body


def _level(name: str, language: str, text: str) -> Fraction:
    return ease_spanish(_said(name, language, text, "web")) if language == "es" else grade_english(
        _said(name, language, text, "sms"))


def _is_easy(language: str, level: Fraction) -> bool:
    return level >= LEAST_EASE if language == "es" else level <= MOST_GRADE
