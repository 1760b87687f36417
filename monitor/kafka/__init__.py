"""Everything aiokafka: reads events from Kafka topics as the engine's journal.

Knows Kafka and the decoders; must not know stores, the engine or the web.
"""
