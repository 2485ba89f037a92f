"""What a dialogue keeps of a long talk: bounded, immutable, and able to survive a restart."""

from voice_server.dialogue.memory.memory import Exchange, Learned, Memory, Promise

__all__ = ["Exchange", "Learned", "Memory", "Promise"]
