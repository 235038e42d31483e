"""From the claim file to the receipt by text message, then a question asked and answered on Telegram."""

from __future__ import annotations

from bot.demo.acts import Say
from bot.demo.opening import open_practice
from bot.demo.scripts import payment, telegram
from bot.demo.stage import Stage


async def play(stage: Stage, say: Say) -> None:
    """Raises StageError where something does not come as it should."""
    await open_practice(stage, say)
    await payment.scene(stage, say)
    await telegram.scene(stage, say)
    say("\nThe staff's side of all this is the console: `plainbill demo`, without --script, leads into it.")
