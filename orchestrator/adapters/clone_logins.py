"""What a worker shows a host to clone a private repository: fetched for each clone, from what its owner keeps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from events.log.journal import Journal
from events.processing import ProcessingRequested
from orchestrator.adapters.github_app import GithubApp
from orchestrator.adapters.repository_credentials import RepositoryCredentials
from orchestrator.auth.identity import Identity
from orchestrator.auth.sign_in_tokens import SignInTokens, id_of
from orchestrator.projections.analyses import OVER, fold
from runtime.faults import Permanent
from runtime.repository_url import RepositoryUrl

_USERNAMES = {"github.com": "x-access-token", "gitlab.com": "oauth2", "bitbucket.org": "x-token-auth"}


@dataclass(frozen=True)
class CloneLogin:
    """User and password of HTTP Basic authentication."""

    username: str
    password: str = field(repr=False)


class CloneLogins:
    """Gives them out. All that decides is read from the log: whoever asks names an analysis, and nothing else."""

    def __init__(
        self,
        journal: Journal,
        credentials: RepositoryCredentials,
        app: GithubApp | None,
        sign_ins: SignInTokens | None,
        clock: Callable[[], datetime],
    ) -> None:
        """`app` and `sign_ins` are there where a GitHub App reads for people what they may read themselves."""
        self._sign_ins = sign_ins
        self._journal = journal
        self._credentials = credentials
        self._app = app
        self._clock = clock

    async def login_for(self, analysis_id: UUID) -> CloneLogin | None:
        """The login that an analysis may be cloned with now; None where it needs none.

        Raises Permanent: `not_found`, `analysis_over`, `credential_gone`, and what `GithubApp.token_for` and
        `SignInTokens.use` raise.
        """
        history = await self._journal.read_stream(f"analysis/{analysis_id}")
        record = fold(history)
        if record is None:
            raise Permanent("not_found", "There is no such analysis.")
        request, context = ProcessingRequested.model_validate(history[0].data), history[0].context
        if request.credential_ref is None:
            return None
        if record.view.state in OVER:
            raise Permanent("analysis_over", "It has ended; nothing is cloned for it any more.")
        if context.user_id is None:
            raise Permanent("credential_gone", "Nobody asked for this analysis whose token could be used.")
        host, _, name = request.url.partition("://")[2].partition("/")
        return await self._login_with(request.credential_ref, context.tenant_id, context.user_id, host, name)

    async def login_to_look(
        self, who: Identity, repository: RepositoryUrl, *, token: str | None, ref: UUID | None
    ) -> CloneLogin | None:
        """The login that a person's request is to be looked up with: by the `token` or the kept `ref` that it gives.

        Else by what an analysis of theirs would be cloned with. Raises as `login_for`.
        """
        host = repository.host
        if token is not None:
            return login_of(token, host)
        read_with = ref if ref is not None else await self._credentials.newest(who, host, self._clock())
        if read_with is None:
            return None
        return await self._login_with(read_with, who.tenant_id, who.user_id, host, repository.name)

    async def _login_with(self, ref: UUID, tenant_id: UUID, user_id: UUID, host: str, name: str) -> CloneLogin | None:
        if self._app is not None and self._sign_ins is not None:
            own = await self._sign_ins.use(ref, tenant_id=tenant_id, user_id=user_id, host=host)
            if own is not None:
                token = await self._app.token_for(own, name)
                return login_of(token, host) if token is not None else None
        if ref == id_of(user_id, host):  # they signed out since: what is public needs no login, and the rest shows none
            return None
        kept = await self._credentials.use(ref, tenant_id=tenant_id, user_id=user_id, host=host, at=self._clock())
        return login_of(kept, host)


def login_of(token: str, host: str) -> CloneLogin:
    """The login that shows `token` to `host`. One with a colon is user and password already."""
    username, colon, password = token.partition(":")
    if colon and username and password:
        return CloneLogin(username, password)
    return CloneLogin(_USERNAMES.get(host, "x-access-token"), token)
