"""What the models of an analysis really took."""

from pydantic import BaseModel


class SpentView(BaseModel):
    """Tokens that were embedded, over all attempts, and what that cost; `cost_usd` is null where nobody said."""

    tokens: int
    cost_usd: float | None = None
