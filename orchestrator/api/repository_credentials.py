"""The tokens that a person keeps for private repositories. A token goes in, and never comes out."""

from uuid import UUID

from fastapi import APIRouter

from orchestrator.api.credential_models import CredentialRequest, CredentialView
from orchestrator.api.dependencies import Parts, Reader, Writer
from orchestrator.api.intake import read_host
from orchestrator.api.pages import CredentialPage

router = APIRouter(prefix="/me/credentials", tags=["account"])


@router.get("")
async def kept(who: Reader, parts: Parts) -> CredentialPage:
    """The tokens that you keep here, the newest first; never their values."""
    return CredentialPage(items=await parts.credentials.of(who))


@router.post("", status_code=201)
async def keep(body: CredentialRequest, who: Writer, parts: Parts) -> CredentialView:
    """Keep a token for the private repositories of a host. From now on your analyses of that host use it.

    Give it no more than reading: on GitHub a fine-grained one with *Contents: read-only* for those repositories.
    """
    host = read_host(body.host, parts.rules)
    token = body.token.get_secret_value()
    return await parts.credentials.add(who, host=host, name=body.name.strip(), token=token, at=parts.clock())


@router.delete("/{credential_id}", status_code=204)
async def forget(credential_id: UUID, who: Writer, parts: Parts) -> None:
    """Forget a token. An analysis that has not cloned yet fails; what was analysed stays."""
    await parts.credentials.remove(who, credential_id)
