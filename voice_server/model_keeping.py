"""The language model of a server: made from the settings, fetched, kept alive, probed."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from voice_server.config import Settings
from voice_server.dialogue.llm.client import ChatEndpoint
from voice_server.dialogue.llm.embedded import EmbeddedModel
from voice_server.dialogue.llm.model import LanguageModel, LlmBarred, LlmError
from voice_server.dialogue.llm.vendors import EndpointError, endpoint
from voice_server.start_failed import StartFailed
from voice_server.weights import DiskFull, FetchFailed, WeightsMissing, WeightStore, progress_for

log = logging.getLogger(__name__)

RETRY_LLM_S = 300.0
"""A language model that could not be fetched is tried again after so long."""


def make_model(settings: Settings) -> LanguageModel | None:
    """Return the model the settings name, not running yet; None for answers from facts only.

    Raises:
        StartFailed: the endpoint cannot be used as the settings say.
    """
    llm = settings.llm
    if llm == "none":
        return None
    if llm == "embedded":
        return EmbeddedModel()
    try:
        address = endpoint(
            llm,
            api=settings.llm_api,
            api_version=settings.llm_api_version,
            residency=settings.llm_residency,
            region=settings.llm_region,
        )
    except EndpointError as error:
        raise StartFailed(str(error)) from None
    key = settings.llm_key.get_secret_value()
    return ChatEndpoint(address, key=key, model=settings.llm_model)


async def keep_embedded(model: EmbeddedModel, name: str, store: WeightStore) -> None:
    """Fetch the embedded model if it is missing, then keep its child alive until cancelled.

    ``name`` is that of its weights in the store.
    """
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(model.run())
        weights = await _weights(model, name, store)
        model.weights_arrived(weights)


async def _weights(model: EmbeddedModel, name: str, store: WeightStore) -> Path:
    while True:
        try:
            return next(store.path(name).glob("*.gguf"))
        except WeightsMissing:
            model.downloading()
            log.info("fetching the language model %s in the background", name)
        try:
            await store.fetch([name], progress=progress_for(sys.stderr))
        except (FetchFailed, DiskFull) as error:
            log.warning("no language model for now, answers come from the shop's facts: %s", error)
            await asyncio.sleep(RETRY_LLM_S)


async def probe(model: ChatEndpoint) -> None:
    """Say at start whether the endpoint answers; callers hear facts while it does not.

    Raises:
        StartFailed: it answers from outside the residency that was promised.
    """
    try:
        await model.probe()
    except LlmBarred as error:
        raise StartFailed(str(error)) from None
    except LlmError as error:
        log.warning("no language model for now, answers come from the shop's facts: %s", error)
    else:
        log.info("the language model %s at %s answers", model.model, model.base_url)


def state_of(model: LanguageModel | None) -> str:
    """Return how the model is, in a word for operators."""
    if model is None:
        return "none"
    if isinstance(model, EmbeddedModel):
        return model.state.value
    return "endpoint"
