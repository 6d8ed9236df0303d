"""The stages that read a repository: clone, metadata, structure, parse, link.

Hears `processing.stage.requested` of these five; says `repository.processing.started`, `processing.stage.started`,
`processing.stage.completed`, `processing.stage.failed` and `processing.stage.parked`, all on the analysis's stream.
"""
