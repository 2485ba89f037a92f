"""Fake shop platforms: the vendors' wire formats over real loopback sockets, with faults."""
