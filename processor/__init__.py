"""The stages that read a repository: clone, metadata, structure, history, parse, link.

Hears `processing.stage.requested` of these six; says `repository.processing.started`, `processing.stage.started`,
`processing.stage.completed`, `processing.stage.failed` and `processing.stage.parked`, all on the analysis's stream.
"""
