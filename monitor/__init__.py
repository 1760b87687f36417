"""Finds near misses in the events that operations tools already send, and opens drafts for people to review."""

from monitor.packs.mappings.shipped_tools import announce_shipped

# Any program that imports the package may read a body of a tool that a mapping describes, not only our commands.
announce_shipped()
