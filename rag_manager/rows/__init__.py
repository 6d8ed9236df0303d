"""The index's rows in PostgreSQL, schema `rag`: what is indexed, which generation serves, where vectors are stored."""
