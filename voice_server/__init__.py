"""Voice Server: one server that lets a shop talk with its customers, everywhere they speak."""

__version__ = "0.1.0"
