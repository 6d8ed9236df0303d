"""Hand out all that is somebody's."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from orchestrator.api.dependencies import HeldStream, Parts
from orchestrator.api.keys import Person

router = APIRouter(prefix="/me", tags=["exporting"])
ZIP = "application/zip"


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        200: {"content": {ZIP: {}}, "description": "A ZIP archive of JSON lines; manifest.json says what is in it"}
    },
)
async def export_mine(who: Person, parts: Parts, _held: HeldStream) -> StreamingResponse:
    """All that is yours, as one archive: what goes when you delete your account, and no secret of it."""
    at = parts.clock()
    name = f"repostream-{at:%Y-%m-%d}.zip"
    return StreamingResponse(
        parts.export.archive(who, at),
        media_type=ZIP,
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
