"""PostgreSQL, Valkey and Chroma from wheels, under our own supervisor."""
