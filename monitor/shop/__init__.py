"""PURE: what a shop's tools say about its services, and the catalogue and settings that follow from it."""
