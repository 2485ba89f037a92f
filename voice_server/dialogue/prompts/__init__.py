"""The wording of prompts: versions with author and reason, canary shares, and a way back."""

from voice_server.dialogue.prompts.registry import PromptRegistry, Rollout
from voice_server.dialogue.prompts.version import PromptError, PromptVersion, default_version

__all__ = ["PromptError", "PromptRegistry", "PromptVersion", "Rollout", "default_version"]
