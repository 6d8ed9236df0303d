"""The API, the workflow and the read models."""
