"""A made-up year of a mid-size organisation: its services, what its tools would send, and what really happened in it.

Pure and seeded: the same shape gives the same events. Written from what the patterns of near misses say in words, never
from the rules that look for them, so that what is measured with it is not what it was built for.
"""
