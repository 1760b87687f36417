"""Finds near misses in the events that operations tools already send, and opens drafts for people to review."""
