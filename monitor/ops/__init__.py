"""What operating the monitor needs, whatever it does: clock, logs, metrics, health, watched tasks, orderly stop.

Knows the values of `core` and nothing of events' meaning, stores or the web.
"""
