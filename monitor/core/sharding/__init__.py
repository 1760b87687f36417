"""Which shard an event belongs to, and one engine a shard under one watermark."""
