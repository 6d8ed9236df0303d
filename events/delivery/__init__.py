"""Consume once: inbox, leases, reclaim, dead letters and timers behind the one wrapper over FastStream."""
