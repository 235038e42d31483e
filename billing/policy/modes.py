"""Whether a practice sends at all: off, shadow, pilot, on; and a practice that nobody has configured."""

from __future__ import annotations

from billing.policy.core import MANDATED, Facts, Finding, Rule, withhold


def sending_mode(facts: Facts) -> Finding | None:
    """Last among the stops: in shadow mode this verdict then means that the text would have gone out.

    What carriers require and a life may hang on leaves in every mode.
    """
    if facts.message.purpose in MANDATED or facts.message.internal or facts.message.channel == "console":
        return None  # the console is this machine's own terminal: nothing leaves
    if not facts.practice.configured:
        return withhold("the practice is not configured yet")
    mode = facts.practice.policy.sending
    if mode == "on" or (mode == "pilot" and facts.recipient.pilot):
        return None
    if mode == "pilot":
        return withhold("sending is 'pilot', and this is none of the pilot accounts")
    if mode == "shadow":
        return withhold("it would have gone out, but sending is 'shadow': everything is decided and nothing leaves")
    return withhold(f"sending is {mode!r} for this practice")


def not_configured(facts: Facts) -> Finding | None:
    return None if facts.practice.configured else withhold("the practice is not configured yet")


def restored_copy(facts: Facts) -> Finding | None:
    """A copy out of a backup knows nothing of what happened since: it repeats no message and no charge."""
    if facts.practice.policy.sending != "restored" or (facts.message.internal and facts.charge is None):
        return None
    return withhold("this copy came out of a backup and was not yet compared with the carrier and the processor")


FIRST = (
    Rule("restored-copy", "A copy out of a backup keeps still until it is released", "issue 5, backup", "own",
         restored_copy, restored_copy, configured="plainbill restored"),
)

LAST = (
    Rule("sending-mode", "Nothing leaves before the practice is configured and sending is on, or is a pilot's",
         "receivables.md D6; issue 5, modes", "own", sending_mode, not_configured,
         configured="policy sending, pilot_accounts"),
)
