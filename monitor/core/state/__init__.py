"""What the engine remembers between events, how long, and its form as cells of bytes."""
