"""Live progress: one reader of the feed and one of the ticks per process, fanned out to viewers over SSE.

Milestones are events and are never lost; ticks are what a worker is doing this moment and may be.
"""
