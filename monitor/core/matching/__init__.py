"""Which steps of which rules one event satisfies: conditions, derived facts, relations."""
