"""Webhooks: which facts are told, in which words, to whom, how often, and how they are signed. No I/O."""
