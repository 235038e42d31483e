"""The strings of an instalment plan: of the page on which it is read and agreed to, and of the signed copy on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from templates.plan_words import card_words, clock, words
from templates.statement_page import addressee, frame
from templates.statement_words import day, money, phone_words, short_day

Content = Mapping[str, Any]


def plan_page(content: Content, language: str) -> dict[str, Any]:
    """All strings of a plan. ``content`` is billing/plan_pages.py's, amounts in cents."""
    said, agreed = words(language), content["agreed"]
    before = (agreed or {}).get("disclosures") or shown_before(content, language) or {}
    return {
        **frame(content["practice"], content["account"], language), "made_on": content["made_on"],
        "kind": said["agreement_title" if agreed else "agreement_draft"],
        "title": said["title_number"].format(number=content["number"]), "to": addressee(content, language),
        "facts": _facts(content, language), "lead": said["lead"], "hero": _hero(content, language),
        "no_price": said["no_price"], "schedule": schedule(content, language),
        "visits": _visits(content, language), "way": way_words(content, language),
        "ways_heading": said["ways"], "words_heading": said["words_heading"],
        "words_lang": agreed["language"] if agreed else language,
        "words": agreed["words"] if agreed else authorization(content, language),
        "disclosures": before.get("disclosures"), "esign": before.get("esign"),
        "how": _how(content, language) if agreed else None,
    }


def shown_before(content: Content, language: str) -> dict[str, Any] | None:
    """What stands before the signature where the law wants it: kept with the signature, word for word."""
    if not content["needs_disclosures"]:
        return None
    return {"disclosures": disclosures(content, language), "esign": esign(content, language)}


def _facts(content: Content, language: str) -> list[list[str]]:
    said, agreed = words(language), content["agreed"]
    on = [said["agreed_on"], day(agreed["at"][:10], language)] if agreed else [
        said["date"], day(content["made_on"], language)]
    return [[said["number"], str(content["number"])], on]


def _hero(content: Content, language: str) -> dict[str, str]:
    return {"label": words(language)["total"], "amount": _money(content, content["total_minor"], language),
            "by": payments(content, language), "lead": ""}


def _money(content: Content, minor: int, language: str) -> str:
    return money(minor, language, content["currency"])


def _parts(content: Content) -> list[tuple[int, str, int]]:
    """(number, ISO day, cents) as signed; before that, as offered."""
    if content["agreed"]:
        return [(int(number), str(on), int(minor)) for number, on, minor in content["agreed"]["schedule"]]
    return [(part["number"], part["due_on"], part["agreed_minor"]) for part in content["parts"]]


def schedule(content: Content, language: str) -> dict[str, Any]:
    """Every payment with its day and amount, and their sum."""
    said, parts = words(language), _parts(content)
    rows = [[str(number) if number else said["deposit"], short_day(on, language), _money(content, minor, language)]
            for number, on, minor in parts]
    return {"heading": said["schedule"], "rows": rows,
            "cols": [said["schedule_number"], said["schedule_day"], said["schedule_amount"]],
            "total": [said["sum"], "", _money(content, sum(minor for _, _, minor in parts), language)]}


def _visits(content: Content, language: str) -> dict[str, Any]:
    said = words(language)
    rows = [[said["visit_on"].format(day=day(one["service_on"], language)) if one["service_on"]
             else f"{said['visit']} {one['external']}", _money(content, one["amount_minor"], language)]
            for one in content["visits"]]
    total = sum(one["amount_minor"] for one in content["visits"])
    return {"heading": said["visits"], "cols": [said["visit"], said["owed"]], "rows": rows,
            "total": [said["sum"], _money(content, total, language)]}


def way_words(content: Content, language: str) -> str:
    said = words(language)
    if content["collects"] == "autopay" and content["card"]:
        return str(said["way_auto"].format(card=card_words(content["card"], language)))
    return str(said["way_link"])


def payments(content: Content, language: str) -> str:
    """``6 payments of $24.25, from December 15, 2026 to May 15, 2027``, with the deposit if there is one."""
    said, parts = words(language)["words"], _parts(content)
    later = [part for part in parts if part[0]]
    amounts = [minor for _, _, minor in later]
    equal, all_but_last = len(set(amounts)) == 1, len(set(amounts[:-1])) == 1
    key = "payments_equal" if equal else "payments_last" if all_but_last else "payments_mixed"
    text = said[key].format(
        count=len(later), amount=_money(content, amounts[0], language), first=day(later[0][1], language),
        last=day(later[-1][1], language), last_amount=_money(content, amounts[-1], language))
    deposit = sum(minor for number, _, minor in parts if not number)
    if not deposit:
        return str(text)
    return str(said["payments_deposit"].format(deposit=_money(content, deposit, language), payments=text))


def authorization(content: Content, language: str) -> str:
    """The exact words that somebody agrees to, for the way that is looked at (T-48, T-50)."""
    said, practice = words(language)["words"], content["practice"]
    auto = content["collects"] == "autopay" and content["card"]
    return str(said["auto" if auto else "link"].format(
        practice=practice["name"], phone=phone_words(practice["phone"]),
        total=_money(content, content["total_minor"], language), payments=payments(content, language),
        card=card_words(content["card"], language) if auto else "",
        most=_money(content, content["most_minor"], language), notice=_count(said, "days", [content["notice_days"]]),
        missed=_count(said, "missed", [content["missed_before_default"]]), retry=_retry(content, said)))


def _count(said: Mapping[str, Any], what: str, numbers: Sequence[int]) -> str:
    """``2 payments``, ``1 day``, ``3 and 7 days``."""
    joined = f" {said['and']} ".join(filter(None, (", ".join(map(str, numbers[:-1])), str(numbers[-1]))))
    return str(said[f"{what}_one" if list(numbers) == [1] else f"{what}_some"].format(count=joined))


def _retry(content: Content, said: Mapping[str, Any]) -> str:
    if not content["retry_after_days"]:
        return ""
    return str(said["retry"].format(practice=content["practice"]["name"],
                                    days=_count(said, "days", content["retry_after_days"])))


def words_version(content: Content, language: str) -> str:
    """Names the words of ``authorization``: which page, language, version and way of paying."""
    way = "auto" if content["collects"] == "autopay" and content["card"] else "link"
    return f"plan_page:{way}:{language}:{words(language)['version']}"


def disclosures_version(language: str) -> str:
    return f"reg_z:{language}:{words(language)['version']}"


def fingerprint(content: Content, language: str) -> str:
    """Of everything that was shown before signing: a form that was filled in on another page agrees to nothing."""
    shown = [authorization(content, language), words_version(content, language), disclosures_version(language),
             repr(_parts(content)), repr([(v["visit_id"], v["amount_minor"]) for v in content["visits"]])]
    return sha256("\x1f".join(shown).encode()).hexdigest()


def disclosures(content: Content, language: str) -> dict[str, Any]:
    """The closed-end disclosures of Regulation Z for a plan without a price (12 CFR 1026.17-18, T-47).

    The four boxes of figures first, the finance charge and the rate more conspicuous than the rest (1026.17(a)(2));
    the itemisation stays with the visits, apart from them (1026.17(a)(1)).
    """
    said, practice = words(language)["disclosures"], content["practice"]
    total, deposit = content["total_minor"], content["deposit_minor"]
    financed, visits = total - deposit, sum(one["amount_minor"] for one in content["visits"])
    filled = {"deposit": _money(content, deposit, language), "visits": _money(content, visits, language),
              "count": content["count"], "practice": practice["legal_name"],
              "address": ", ".join(practice["address"].split("\n"))}
    boxes = [("apr", "0%"), *((key, _money(content, minor, language)) for key, minor in (
        ("finance", 0), ("financed", financed), ("payments", financed), ("sale", total)))]

    def told(key: str) -> str:
        wanted = f"{key}_deposit" if deposit and f"{key}_deposit" in said else f"{key}_text"
        return str(said[wanted].format(**filled))

    lines = ("creditor", "schedule", "late", "early", "security", "contract")
    return {"heading": words(language)["law_heading"],
            "boxes": [[said[key], amount, told(key), "strong" if key in ("apr", "finance") else "plain"]
                      for key, amount in boxes],
            "lines": [[said[key], told(key)] for key in lines], "itemised": [said["itemised"], told("itemised")]}


def esign(content: Content, language: str) -> dict[str, Any]:
    """What has to be said before somebody agrees to electronic records (15 USC 7001(c)(1))."""
    said, phone = words(language)["esign"], phone_words(content["practice"]["phone"])
    return {"heading": words(language)["esign_heading"], "yes": said["yes"],
            "lines": [said[key].format(phone=phone) for key in ("paper", "withdraw", "scope", "reach", "need")]}


def how(agreed: Content, language: str) -> list[str]:
    """When and how something was agreed to: for the signed copy."""
    said = words(language)
    moments = {"how_at": agreed["at"], "how_esign": agreed["esign_at"], "how_revoked": agreed["revoked_at"]}
    told = {key: said[key].format(day=day(at[:10], language), time=clock(datetime.fromisoformat(at), language))
            for key, at in moments.items() if at}
    card = agreed["card"]
    method = said["how_card"].format(card=card_words(card, language)) if card else said["how_link"]
    lines = [told["how_at"], said[f"how_{agreed['given_by']}"], method, told.get("how_esign", ""),
             said["how_version"].format(version=agreed["words_version"]), told.get("how_revoked", "")]
    return [line for line in lines if line]


def _how(content: Content, language: str) -> dict[str, Any]:
    said = words(language)
    since = [{"heading": said["agreed_since"], "lang": one["language"], "words": one["words"],
              "lines": how(one, language)} for one in content["since"]]
    return {"heading": said["how_agreed"], "lines": how(content["agreed"], language), "since": since}
