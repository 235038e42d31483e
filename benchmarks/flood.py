"""A sender of ready-made requests that takes hardly any processor time: what is measured is who answers.

An HTTP client worth the name takes as much of a core for a request as a bare app takes to answer it; on two cores it
would be the third program that wants one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence


class _Sender(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, sends the next. ``ended`` holds what went wrong."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self._requests, self._got = requests, b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        if not head.startswith(b"HTTP/1.1 200 "):
            self._end(RuntimeError(head.split(b"\r\n", 1)[0].decode()))
            return
        self._got = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("the server hung up"))

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._end(None)
            return
        self._transport.write(request)

    def _end(self, error: Exception | None) -> None:
        if not self.ended.done():
            if error is None:
                self.ended.set_result(None)
            else:
                self.ended.set_exception(error)
            self._transport.close()


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])


async def post_all(port: int, requests: Sequence[bytes], connections: int) -> None:
    """Send all, ``connections`` under way at any time. Raises for the first answer that is not 200."""
    waiting, loop = iter(requests), asyncio.get_running_loop()
    senders = [await loop.create_connection(lambda: _Sender(waiting), "127.0.0.1", port) for _ in range(connections)]
    await asyncio.gather(*(sender.ended for _, sender in senders))
