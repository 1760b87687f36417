"""The language of rules: its keys and fields, and a rule file read as a rule."""
