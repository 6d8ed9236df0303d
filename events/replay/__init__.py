"""Fold the log to any point, check it, rebuild from it."""
