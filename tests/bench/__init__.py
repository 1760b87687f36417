"""Measurements, printed as ratios of one run: `make bench`. Nothing here is a test of time."""
