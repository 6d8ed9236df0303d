"""The stages that read a repository: clone, metadata, structure, parse.

Hears `processing.stage.requested` of these four; says `repository.processing.started`, `processing.stage.started`,
`processing.stage.completed`, `processing.stage.failed` and `processing.stage.parked`, all on the analysis's stream.
"""
