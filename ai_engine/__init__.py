"""Answers: retrieval, prompt, model, citation check.

Hears `ai.query.requested`. Says `ai.step.taken` for each step of an answer in deep mode, and `ai.query.processed` or
`ai.query.failed`; while an answer is being written its parts
go out live on `live.<tenant>.answer.<question>`.
"""
