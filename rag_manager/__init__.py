"""The index: embed, generations, search. Owns Chroma and the embedding models.

Hears `processing.stage.requested` of index, embed, activate, refine and promote, `repository.deleted`,
`tenant.deleted` and `analysis.deleted`. Says `processing.stage.*`, `rag.index.built`, `rag.index.activated` and
`rag.embedder.changed`; what is searched for, or asked of a collection, it is asked over HTTP (`api.py`).
"""
