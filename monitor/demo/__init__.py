"""The bundled stream of `nearmiss demo`: some days of an invented web shop. Knows the event format and nothing else."""
