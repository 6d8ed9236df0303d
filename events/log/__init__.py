"""The event log: append with an expected version, one dense global order, and the relay to Redis Streams."""
