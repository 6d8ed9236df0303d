"""The orchestrator's ways to PostgreSQL, Redis and the object store."""
