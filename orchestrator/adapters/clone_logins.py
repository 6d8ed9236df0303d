"""What a worker shows a host to clone a private repository: fetched for each clone, from what its owner keeps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from events.log.journal import Journal
from events.processing import ProcessingRequested
from orchestrator.adapters.github_app import GithubApp
from orchestrator.adapters.repository_credentials import SIGN_IN, RepositoryCredentials
from orchestrator.projections.analyses import OVER, fold
from runtime.faults import Permanent

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
        clock: Callable[[], datetime],
    ) -> None:
        self._journal = journal
        self._credentials = credentials
        self._app = app
        self._clock = clock

    async def login_for(self, analysis_id: UUID) -> CloneLogin | None:
        """The login that an analysis may be cloned with now; None where it needs none.

        Raises Permanent: `not_found`, `analysis_over`, `credential_gone`, and what `GithubApp.login_for` raises.
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
        opened = await self._credentials.use(
            request.credential_ref,
            tenant_id=context.tenant_id,
            user_id=context.user_id,
            host=host,
            at=self._clock(),
        )
        if opened.given != SIGN_IN:
            return login_of(opened.token, host)
        token = await self._app.token_for(opened.token, name) if self._app is not None else None
        return login_of(token, host) if token is not None else None


def login_of(token: str, host: str) -> CloneLogin:
    """The login that shows `token` to `host`. One with a colon is user and password already."""
    username, colon, password = token.partition(":")
    if colon and username and password:
        return CloneLogin(username, password)
    return CloneLogin(_USERNAMES.get(host, "x-access-token"), token)
