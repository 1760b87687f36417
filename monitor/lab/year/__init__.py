"""A synthetic year of an organisation: its tools send vendor payloads, and our decoders read them.

Pure and seeded: the same shape gives the same events. Who acts is independent of who was paged. Stories share only the
vocabulary of events with the rules.
"""
