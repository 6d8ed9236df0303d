"""The language of Repostream: what happened, in the past tense.

Facts by subject (pure: pydantic and the standard library only) stand beside `log` (append, sequence, relay),
`delivery` (consume once) and `replay` (fold, rebuild, doctor).
"""
