"""The async shell around the engine: poll, step, one transaction, acknowledge. Decides nothing about near misses."""
