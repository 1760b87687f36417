"""The streams that a rule comes with: read, run through the engine, and reported."""
