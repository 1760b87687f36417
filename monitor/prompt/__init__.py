"""Tells a monitor elsewhere what people do at a prompt, and keeps it while that monitor is away."""
