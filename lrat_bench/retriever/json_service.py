"""A service that speaks JSON over HTTP, asked from any thread; its replies are held to be anybody's.

Requests are made in an event loop of a thread of its own, so that a request ends when its time is over, however slowly
a server sends. What may pass is tried again, as for language models (`model/lite/patience.py`). No redirect is
followed, no proxy and no `.netrc` is read: a token goes to the address that was given, and nowhere else.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import ssl
import threading
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from lrat_bench.errors import BadRequest, Halt, MissingLibrary, RolloutFailure, UsageError
from lrat_bench.files import encodable
from lrat_bench.model.lite.failures import Transient
from lrat_bench.model.lite.patience import Patience
from lrat_bench.model.redact import redact

__all__ = ["JsonService", "NoSuchPlace", "NotJson", "cut"]

_BUSY = (429, 503, 529)
_GATEWAY = (408, 502, 503, 504, 529)
_PASSING = (*_BUSY, *_GATEWAY, 409, 425)
_NO_ENTRY = (401, 403)
_NOT_THERE = (404, 405, 410, 501)
_LONGEST = 200
"""Characters of a server's words that are repeated."""
_LONGEST_WAIT = 1e6

T = TypeVar("T")


class NoSuchPlace(UsageError):
    """The server is there, and has nothing at this path."""


class NotJson(RolloutFailure):
    """The server is there, and does not speak JSON."""


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    content: bytes


class JsonService:
    """One server.

    Args:
        name: for messages.
        encrypted: whether its address is of https.
        headers: sent with every request.
        timeout: seconds of one request, from connecting to its last byte.
        outage_seconds: how long failing requests are tried again.
        most_bytes: of a reply.

    Raises:
        MissingLibrary: httpx is not installed.
    """

    def __init__(
        self,
        name: str,
        *,
        encrypted: bool,
        headers: Mapping[str, str],
        timeout: float,
        outage_seconds: float,
        most_bytes: int,
    ) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingLibrary(
                "httpx, which remote retrievers are asked with,", install='"lrat-bench[http]"'
            ) from None
        self._name = name
        self._timeout = timeout
        self._outage = outage_seconds
        self._most = most_bytes
        self._down = False
        self._patience = Patience(name, outage_seconds)
        # With the system's certificates, and SSL_CERT_FILE where it is set; reading them takes a tenth of a second.
        trusted = ssl.create_default_context() if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client = httpx.AsyncClient(
            headers={"accept": "application/json", "accept-encoding": "identity", **headers},
            verify=trusted,
            timeout=None,  # noqa: S113 -- `_once` has one for the whole request
            follow_redirects=False,
            trust_env=False,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="remote-retriever", daemon=True)
        self._thread.start()

    def get(self, address: str, *, outage_seconds: float) -> Any:
        """What the server says at an address.

        Args:
            address: whole.
            outage_seconds: how long to try again, since this is asked before anything else is.

        Raises:
            NoSuchPlace: nothing is there.
            NotJson: its reply is no JSON.
            UsageError: the token is refused, or the server redirects.
            RolloutFailure: it cannot be reached.
        """
        return self._run(Patience(self._name, outage_seconds).until_answered(lambda _: self._once(address, None))).value

    def post(self, address: str, bodies: Sequence[Any]) -> list[Any]:
        """What the server says to each of some bodies, asked side by side.

        Raises:
            RolloutFailure: it fails on one of them (`BadRequest`), or for too long (`Halt`).
            UsageError: the token is refused, nothing is at the address, or the server redirects.
        """

        async def all_of_them() -> list[Any]:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(self._patiently(address, body)) for body in bodies]
            return [task.result() for task in asked]

        try:
            return self._run(all_of_them())
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None

    def close(self) -> None:
        """Let go of connections and of the thread; what is being asked is given up."""
        if self._loop.is_closed():
            return
        self._run(self._wind_up())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_closed():
            work.close()
            raise RolloutFailure(f"{self._name} was closed before it could be asked")
        coming = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return coming.result()
        except BaseException:
            coming.cancel()
            raise

    async def _wind_up(self) -> None:
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._client.aclose()

    async def _patiently(self, address: str, body: Any) -> Any:
        if self._down:
            # It was given up: one look is enough for every other query that waits.
            try:
                answer = await self._sampled(address, body)
            except Transient as failure:
                raise Halt(f"{self._name} is down: {failure.reason}") from None
            self._down = False
            return answer
        try:
            return (await self._patience.until_answered(lambda _: self._sampled(address, body))).value
        except Halt:
            self._down = True
            raise

    async def _sampled(self, address: str, body: Any) -> Any:
        """One try, of which a reply that is cut short or a gateway's page may be better at the next."""
        try:
            return await self._once(address, body)
        except NotJson as failure:
            raise Transient(str(failure), answered=True, resample=True) from None

    async def _once(self, address: str, body: Any) -> Any:
        import httpx

        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._answer(address, body)
        except TimeoutError:
            raise Transient(f"no reply within {self._timeout:g} s") from None
        except httpx.HTTPError as error:
            raise Transient(_words(str(error)) or type(error).__name__) from None
        except httpx.InvalidURL as error:
            raise UsageError(f"{self._name}: {_words(str(error))}") from None
        return self._read(answer)

    async def _answer(self, address: str, body: Any) -> _Answer:
        # A lone surrogate, which JSON may spell, is nothing that every server can read.
        content = None if body is None else encodable(json.dumps(body, ensure_ascii=False)).encode()
        method, headers = ("GET", {}) if body is None else ("POST", {"content-type": "application/json"})
        async with self._client.stream(method, address, content=content, headers=headers) as response:
            said = bytearray()
            # As it comes: what would unpack to more than it is can take any amount of memory.
            async for chunk in response.aiter_raw():
                said += chunk
                if len(said) > self._most:
                    raise RolloutFailure(
                        f"{self._name} sends more than {self._most / 1e6:g} MB: ask for fewer queries at once "
                        "(retriever.batch), or allow for more (retriever.max_reply_mb)"
                    )
            return _Answer(response.status_code, response.headers, bytes(said))

    def _read(self, answer: _Answer) -> Any:
        status, said = answer.status, _words(answer.content[: 4 * _LONGEST].decode("utf-8", "replace"))
        reason = f"HTTP {status}{f': {said}' if said else ''}"
        if 300 <= status < 400:
            there = _words(answer.headers.get("location", "")) or "nowhere"
            raise UsageError(f"{self._name} redirects to {there}, which is not followed: give that address")
        if status in _NO_ENTRY:
            raise UsageError(
                f"{self._name} wants another token ({reason}): name the variable that holds it, as in "
                "--set retriever.token_env=NAME"
            )
        if status in _NOT_THERE:
            raise NoSuchPlace(f"{self._name} has nothing there ({reason}): check the path of the address")
        if status in _PASSING or status >= 500:
            raise Transient(
                reason,
                busy=status in _BUSY,
                retry_after=_retry_after(answer.headers),
                answered=status not in _GATEWAY,
                # What fails by itself will do so again: three times are enough.
                resample=status not in _PASSING,
            )
        if status != 200:
            raise BadRequest(f"{self._name} refuses the request ({reason})")
        if (packed := answer.headers.get("content-encoding", "identity")) != "identity":
            raise RolloutFailure(f"{self._name} sends {_words(packed)} where plain JSON was asked for")
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError) as error:
            raise NotJson(f"{self._name} does not speak JSON ({_words(str(error))}): {said!r}") from None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, given as a number or as a date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):  # no date, or one of the year 10**20
            return None
    return min(max(seconds, 0.0), _LONGEST_WAIT) if seconds == seconds else None


def cut(text: str | None, most: int = 60) -> str:
    """A server's words, fit for a message: one line, no secrets, nothing that a terminal would obey, not endless."""
    line = redact("".join(sign if sign.isprintable() else "�" for sign in " ".join((text or "").split())))
    return line if len(line) <= most else f"{line[:most]}…"


def _words(text: str) -> str:
    return cut(text, _LONGEST)
