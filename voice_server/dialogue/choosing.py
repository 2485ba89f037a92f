"""Which of a client's tools a model without tool calls wants: it chooses by JSON schema."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from voice_server.dialogue.dialogue import ReplyRequest, Tool, ToolCall
from voice_server.dialogue.llm.model import (
    ChatRequest,
    Finished,
    LanguageModel,
    LlmError,
    TextDelta,
)
from voice_server.dialogue.llm.waiting import Waiting
from voice_server.dialogue.prompt import choice_schema
from voice_server.dialogue.resources import Resources
from voice_server.dialogue.tools import parse_choice
from voice_server.dialogue.trace import Trace

logger = logging.getLogger(__name__)


async def choose(
    model: LanguageModel,
    resources: Resources,
    asked: ReplyRequest,
    tools: Sequence[Tool],
    trace: Trace,
    *,
    forced: bool,
) -> ToolCall | None:
    """Return the call that the model chooses within ``choice_s``; None: it answers itself.

    ``forced``: it may not decline.
    """
    request = ChatRequest(
        resources.prompts.choice(asked.history, tools, asked.instructions, trace.memory),
        max_tokens=120,
        temperature=0.0,
        schema=choice_schema(tools, may_decline=not forced),
    )
    waiting = Waiting(model.stream(request))
    now = asyncio.get_running_loop().time
    deadline = now() + resources.options.patience.choice_s
    text = ""
    try:
        while True:
            part = await waiting.next(deadline - now())
            if part is None:
                model.missed()
                raise LlmError("no function was chosen in time")
            if isinstance(part, TextDelta):
                text += part.text
            elif isinstance(part, Finished):
                return parse_choice(text, tools, resources.new_id)
    except StopAsyncIteration:
        logger.warning("the model chose no function")
    except (LlmError, ValueError) as error:
        logger.warning("the model chose no function: %s", error)
    finally:
        await waiting.close()
    return None
