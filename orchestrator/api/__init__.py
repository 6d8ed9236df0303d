"""The HTTP API, one router a resource. `models.py` is the shape of every reply."""
