"""Answers: retrieval, prompt, model, citation check."""
