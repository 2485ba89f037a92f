"""Keeps the embedded language model alive: starts, warms, watches and restarts its child."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import sys
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from voice_server.dialogue.llm.client import ChatEndpoint, EndpointOptions
from voice_server.dialogue.llm.embedded_options import DEFAULTS, EmbeddedOptions, ModelState
from voice_server.dialogue.llm.llama_child import ChildConfig
from voice_server.dialogue.llm.model import (
    ChatPart,
    ChatRequest,
    LlmError,
    LlmRefused,
    LlmUnavailable,
)

__all__ = ["ChildFailed", "EmbeddedModel", "EmbeddedOptions", "ModelState"]

logger = logging.getLogger(__name__)

Messages = tuple[dict[str, Any], ...]


def child_command() -> tuple[str, ...]:
    """Return the command that runs the child with this very Python."""
    return (sys.executable, "-m", "voice_server.dialogue.llm.llama_child")


REAPED_S = 0.5
"""A child that no longer answers may have died; its status is known so soon."""


class ChildFailed(Exception):
    """The child did not start, died or stalled; says why."""


class EmbeddedModel:
    """A :class:`LanguageModel` in a supervised process.

    :meth:`run` must be running (in the app's TaskGroup) for it ever to be ready.
    """

    embedded = True

    def __init__(
        self,
        weights: Path | None = None,
        *,
        options: EmbeddedOptions = DEFAULTS,
        command: Sequence[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``weights`` is the .gguf file, None while it is still being fetched."""
        self._options = options
        self._command = tuple(command) if command else child_command()
        self._clock = clock
        self._weights = weights
        self._arrived = asyncio.Event()
        self._poked = asyncio.Event()
        self._changed = asyncio.Event()
        self._state = ModelState.STARTING if weights else ModelState.MISSING
        self._endpoint: ChatEndpoint | None = None
        self._prefix: Messages = ()
        self.last_use = clock()
        """When the model was last asked or warmed, in the clock's seconds."""
        self._busy = 0
        self._foreseen: Messages = ()
        self._reading: asyncio.Future[bool] | None = None
        self._silent = 0
        self.pid: int | None = None
        """Process id of the child, for metrics and tests."""
        self.restarts = 0
        self.trouble = ""
        """Why the last child ended, in words for the operator."""

    @property
    def state(self) -> ModelState:
        """Where the model is."""
        return self._state

    @property
    def ready(self) -> bool:
        """Loaded, warmed and, as far as we know, answering."""
        return self._state is ModelState.READY

    def downloading(self) -> None:
        """Say that the weights are on their way."""
        if self._weights is None:
            self._set(ModelState.DOWNLOADING)

    def weights_arrived(self, path: Path) -> None:
        """Start with these weights: the verified .gguf file."""
        self._weights = path
        self._arrived.set()

    def keep_warm(self, prefix: Messages) -> None:
        """Set the messages every prompt begins with: read after each start and after idling."""
        self._prefix = prefix

    async def wait_for(self, state: ModelState) -> None:
        """Return when the model is in this state; the caller sets the deadline."""
        while self._state is not state:
            self._changed.clear()
            await self._changed.wait()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatPart, None]:
        """See :class:`LanguageModel`."""
        endpoint = self._endpoint
        if endpoint is None or not self.ready:
            raise LlmUnavailable(f"the embedded language model is {self._state.value}")
        self.last_use = self._clock()
        self._busy += 1
        await self._settle(request.messages)
        parts = endpoint.stream(request)
        try:
            async for part in parts:
                self._silent = 0
                yield part
        except LlmRefused:
            raise
        except LlmError:
            self._poked.set()
            raise
        finally:
            self._busy -= 1
            await parts.aclose()

    async def foresee(self, messages: Messages) -> None:
        """Read ahead what will probably be asked; returns when it is read, or given up.

        Only while nobody is being answered, and one prompt at a time: callers come first.  What
        stands before the user's words in the last message need not be read again afterwards.
        """
        endpoint, beginning = self._endpoint, _before_question(messages)
        if endpoint is None or not self.ready or self._busy or self._reading is not None:
            return
        if beginning in (self._foreseen, messages[:-1]):
            return
        self._foreseen = beginning
        self._reading = reading = asyncio.ensure_future(_read(endpoint, beginning))
        try:
            await asyncio.wait({reading})
        finally:
            self._reading = None
            if not reading.done() or reading.cancelled() or not reading.result():
                self._foreseen = ()
            reading.cancel()

    async def _settle(self, messages: Messages) -> None:
        """Let the reading ahead finish if it reads this very prompt, else end it.

        Two prompts at once would each take twice as long; whoever waits here has a deadline.
        """
        reading = self._reading
        if reading is None:
            return
        if _before_question(messages) != self._foreseen:
            reading.cancel()
        await asyncio.wait({reading})

    def missed(self) -> None:
        """Check the child's health now; too many in a row, and it is replaced."""
        self._silent += 1
        self._poked.set()

    async def run(self) -> None:
        """Supervise until cancelled; then the child is gone."""
        delay = self._options.backoff_s
        try:
            while True:
                weights = await self._need_weights()
                began = self._clock()
                try:
                    await self._live(weights)
                except ChildFailed as failure:
                    self.trouble = str(failure)
                if self._clock() - began >= self._options.settled_s:
                    delay = self._options.backoff_s
                self.restarts += 1
                self._set(ModelState.RESTARTING)
                logger.warning(
                    "the embedded language model is restarted in %.1f s: %s", delay, self.trouble
                )
                await asyncio.sleep(delay)
                delay = min(delay * 2, self._options.backoff_max_s)
        finally:
            self._set(ModelState.STOPPED)

    def _set(self, state: ModelState) -> None:
        if state is not self._state:
            logger.info("embedded language model: %s", state.value)
        self._state = state
        self._changed.set()

    async def _need_weights(self) -> Path:
        while self._weights is None:
            await self._arrived.wait()
        return self._weights

    async def _live(self, weights: Path) -> None:
        """Run one child from start to end. Raises ChildFailed, always."""
        async with self._child(weights) as (process, endpoint):
            try:
                async with asyncio.timeout(self._options.warm_s):
                    await self._warm(endpoint)
            except (LlmError, TimeoutError) as error:
                raise ChildFailed(f"it did not answer its first question: {error!r}") from error
            self._endpoint = endpoint
            self._set(ModelState.READY)
            try:
                await self._watch(process, endpoint)
            finally:
                self._endpoint = None

    @contextlib.asynccontextmanager
    async def _child(
        self, weights: Path
    ) -> AsyncIterator[tuple[asyncio.subprocess.Process, ChatEndpoint]]:
        key = secrets.token_urlsafe(24)
        options = self._options
        config = ChildConfig(
            model=str(weights),
            api_key=key,
            threads=options.threads,
            slots=options.slots,
            context_tokens=options.context_tokens,
            niceness=options.niceness,
        )
        if self._state is not ModelState.RESTARTING:
            self._set(ModelState.STARTING)
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
        )
        self.pid = process.pid
        errors: deque[str] = deque(maxlen=8)
        endpoint: ChatEndpoint | None = None
        attendant = asyncio.create_task(self._attend(process, errors))
        try:
            url = await self._started(process, config, errors)
            endpoint = ChatEndpoint(f"{url}/v1", key=key, model="embedded", options=_PATIENT)
            yield process, endpoint
        finally:
            self.pid = None
            await _end(process)
            await attendant
            if endpoint is not None:
                await endpoint.close()

    async def _started(
        self, process: asyncio.subprocess.Process, config: ChildConfig, errors: deque[str]
    ) -> str:
        """Return the child's URL once it serves. Raises ChildFailed."""
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise ChildFailed("it has no pipes")
        try:
            async with asyncio.timeout(self._options.start_s):
                stdin.write(config.line())
                await stdin.drain()
                line = await stdout.readline()
        except TimeoutError:
            raise ChildFailed(f"it did not start within {self._options.start_s:g} s") from None
        except (BrokenPipeError, ConnectionResetError):
            line = b""
        try:
            report = json.loads(line)
        except ValueError:
            await asyncio.sleep(0.05)  # let the last words on stderr come in
            words = " / ".join(errors) or "it said nothing"
            raise ChildFailed(f"it ended while starting: {words}") from None
        if report.get("event") != "ready":
            raise ChildFailed(str(report.get("message") or report))
        return str(report["url"])

    async def _attend(self, process: asyncio.subprocess.Process, errors: deque[str]) -> None:
        """Read the child's error output, so that it never blocks; then notice its end."""
        if process.stderr is not None:
            async for line in process.stderr:
                text = line.decode("utf-8", "replace").strip()
                if text:
                    errors.append(text[:300])
                    logger.debug("llama.cpp: %s", text)
        await process.wait()
        self._poked.set()

    async def _warm(self, endpoint: ChatEndpoint) -> None:
        """Read the prefix into the prompt cache; the one token asked for is thrown away."""
        messages = self._prefix or ({"role": "user", "content": "."},)
        if messages[-1]["role"] != "user":
            messages = (*messages, {"role": "user", "content": "."})
        async for _ in endpoint.stream(ChatRequest(messages, max_tokens=1)):
            pass
        self.last_use = self._clock()

    async def _watch(self, process: asyncio.subprocess.Process, endpoint: ChatEndpoint) -> None:
        """Look after the child. Raises ChildFailed when it died or stalled."""
        misses = 0
        options = self._options
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(options.health_every_s if misses == 0 else 0):
                    await self._poked.wait()
            self._poked.clear()
            if process.returncode is not None:
                raise ChildFailed(f"it ended with status {process.returncode}")
            if self._silent >= options.silent_answers:
                self._silent = 0
                raise ChildFailed(f"it left {options.silent_answers} questions without a word")
            try:
                async with asyncio.timeout(options.health_timeout_s):
                    await endpoint.probe()
            except (LlmError, TimeoutError) as error:
                with contextlib.suppress(TimeoutError):  # a dead child refuses before it is reaped
                    async with asyncio.timeout(REAPED_S):
                        await process.wait()
                misses += 1
                if misses >= options.health_misses and process.returncode is None:
                    raise ChildFailed(f"it stalled: {error!r}") from error
                continue
            misses = 0
            if not self._busy and self._clock() - self.last_use > options.idle_warm_s:
                with contextlib.suppress(LlmError, TimeoutError):  # the next look will tell
                    async with asyncio.timeout(options.warm_s):
                        await self._warm(endpoint)


_PATIENT = EndpointOptions(read_s=30.0, breaker_failures=1_000_000)
"""The child is watched by its supervisor, not by the breaker, and a queued prompt may wait."""


def _environment() -> dict[str, str]:
    """Return our environment, with the import path the child needs and no spinning threads."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "PYTHONPATH": path, "OMP_WAIT_POLICY": "passive"}


def _before_question(messages: Messages) -> Messages:
    """Return what of a prompt stands before the words of the user that are still to come."""
    known, mark, _ = str(messages[-1]["content"]).rpartition("<customer>")
    if not known:
        return messages[:-1]
    return (*messages[:-1], {**messages[-1], "content": known + mark})


async def _read(endpoint: ChatEndpoint, messages: Messages) -> bool:
    """Have a prompt read; tell whether it was."""
    try:
        async with contextlib.aclosing(
            endpoint.stream(ChatRequest(messages, max_tokens=1))
        ) as parts:
            async for _ in parts:
                pass
    except LlmError as error:
        logger.info("a prompt could not be read ahead: %s", error)
        return False
    return True


async def _end(process: asyncio.subprocess.Process, grace_s: float = 2.0) -> None:
    """End the child: close its input, then insist."""
    if process.stdin is not None:
        process.stdin.close()
    for insist in (process.terminate, process.kill):
        try:
            async with asyncio.timeout(grace_s):
                await process.wait()
                return
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                insist()
    await process.wait()
