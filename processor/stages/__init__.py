"""The stages of a repository's reading: pure functions from rows to rows."""
