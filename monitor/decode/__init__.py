"""What tools send, turned into events: pure functions from bytes to events, refusals and intended omissions."""
