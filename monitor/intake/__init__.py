"""What arrives by itself: the webhook receiver. Knows decoders and ports; nothing of rules, drafts or the engine."""
