"""Files of rules: where they lie, what a tree of them gives, and the text of a new one."""
