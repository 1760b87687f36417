"""People decide here: use cases, JSON API, pages, authentication."""
