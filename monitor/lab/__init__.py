"""The engine away from the service: replay of files, labelled cases, why and why not, and streams to measure with.

Everything here is decided on event time alone; nothing of it reads a clock or a database.
"""
