"""Pulls from monitoring whether users are fine, and appends what it saw to the journal."""
