"""The composition root: the only package that knows every adapter. Connects them, and decides nothing else."""
