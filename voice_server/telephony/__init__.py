"""Calls: a phone line of any vendor, driven by the same conversation as the voice button."""
