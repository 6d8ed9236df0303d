"""The web pages: start an analysis, watch it, ask, read the events.

Hears nothing and says nothing on the log: it speaks HTTP to the orchestrator and to nobody else. The browser follows
progress and answers over server-sent events on the same origin, `/api/v1`, which `proxy.py` passes on.
"""
