"""YAML that people write, read with the place of each value, so that every problem can say where. Knows no format."""
