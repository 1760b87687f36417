"""Finds near misses in the events that operations tools already send, and opens drafts for people to review."""

from monitor.packs.mappings.shipped_tools import announce_shipped

# Whoever reads a body, be it a command, a test or a script of somebody else's, may meet a tool that a mapping reads.
announce_shipped()
