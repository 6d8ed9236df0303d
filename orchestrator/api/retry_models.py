"""What a person has run again of an analysis."""

from pydantic import Field, model_validator

from events.processing import Stage
from orchestrator.api.strict import Body


class RetryBody(Body):
    """What is to run again; left out, all that failed.

    A `stage`, or one `shard` of it, though it succeeded: then what is made of its result follows. `files`: only files
    whose parse failed, and shards of files that were lost. `reason` is kept beside who asked.
    """

    stage: Stage | None = None
    shard: int | None = Field(default=None, ge=0, le=1_000_000)
    files: bool = False
    reason: str = Field(default="", max_length=500)

    @model_validator(mode="after")
    def _fits(self) -> "RetryBody":
        if self.shard is not None and self.stage is None:
            raise ValueError("a shard is one of a stage: name that, too")
        if self.files and self.stage is not None:
            raise ValueError("name a stage or files, not both")
        return self
