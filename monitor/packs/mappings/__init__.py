"""Mappings: a tool's bodies described in YAML with JMESPath, for the tools that have no decoder in Python."""
