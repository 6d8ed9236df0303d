"""The API, the workflow and the read models.

Hears what changes an analysis (`repository.processing.requested`, `processing.stage.*` that ended, timers, what people
ask for, bundles, another embedder) and what was deleted. Says `processing.stage.requested`,
`processing.retry.scheduled` and how an analysis ends; and, for people, all that the API accepts. The read models
follow the feed of the whole log.
"""
