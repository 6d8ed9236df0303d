"""One method for each operation of the API. Made by `make client`: not to be edited."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from runtime.client import shapes
from runtime.client.stream import ServerSent

T = TypeVar("T")
Parameters = Mapping[str, str | int | bool | None]


def part(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="")


class Operations(Protocol):
    """The operations, over a connection that somebody else holds."""

    def _call(
        self,
        shape: type[T],
        method: str,
        path: str,
        *,
        params: Parameters | None = None,
        headers: Parameters | None = None,
        body: BaseModel | BinaryIO | None = None,
    ) -> T: ...

    def _content(
        self,
        method: str,
        path: str,
        *,
        params: Parameters | None = None,
        headers: Parameters | None = None,
        body: BaseModel | BinaryIO | None = None,
    ) -> bytes: ...

    def _stream(
        self, path: str, *, params: Parameters | None = None, headers: Parameters | None = None
    ) -> AbstractContextManager[Iterator[ServerSent]]: ...

    def analyses_newest(
        self, *, repository_id: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> shapes.AnalysisPage:
        """Analyses, newest first; of one repository where its id is given."""
        return self._call(
            shapes.AnalysisPage,
            "GET",
            "/api/v1/analyses",
            params={"repository_id": repository_id, "cursor": cursor, "limit": limit},
        )

    def analyses_begin(
        self, body: shapes.AnalysisRequest, *, idempotency_key: str | None = None
    ) -> shapes.AnalysisView:
        """Begin an analysis (202), or join the one of the same repository, folder and ref that is running (200)."""
        return self._call(
            shapes.AnalysisView, "POST", "/api/v1/analyses", headers={"Idempotency-Key": idempotency_key}, body=body
        )

    def analyses_one(self, analysis_id: str) -> shapes.AnalysisView:
        """One analysis, as of its newest event."""
        return self._call(shapes.AnalysisView, "GET", f"/api/v1/analyses/{part(analysis_id)}")

    def analyses_history(
        self, analysis_id: str, *, after: int | None = None, cursor: str | None = None, limit: int | None = None
    ) -> shapes.EventPage:
        """The events of an analysis in their order; those after the version `after` where it is given."""
        return self._call(
            shapes.EventPage,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/history",
            params={"after": after, "cursor": cursor, "limit": limit},
        )

    def analyses_live(
        self, analysis_id: str, *, after: int | None = None, last_event_id: str | None = None
    ) -> AbstractContextManager[Iterator[ServerSent]]:
        """The events of an analysis as they happen, after those that were missed (SSE)."""
        return self._stream(
            f"/api/v1/analyses/{part(analysis_id)}/events",
            params={"after": after},
            headers={"Last-Event-ID": last_event_id},
        )

    def analyses_cancel(
        self, analysis_id: str, body: shapes.CancelBody | None = None, *, idempotency_key: str | None = None
    ) -> shapes.AnalysisView:
        """Ask an analysis to stop. Once it is ready, only its refinement stops."""
        return self._call(
            shapes.AnalysisView,
            "POST",
            f"/api/v1/analyses/{part(analysis_id)}/cancel",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def analyses_confirm(self, analysis_id: str, *, idempotency_key: str | None = None) -> shapes.AnalysisView:
        """Let an analysis go on that is over a limit of this installation."""
        return self._call(
            shapes.AnalysisView,
            "POST",
            f"/api/v1/analyses/{part(analysis_id)}/confirm",
            headers={"Idempotency-Key": idempotency_key},
        )

    def analyses_retry(
        self, analysis_id: str, body: shapes.RetryBody | None = None, *, idempotency_key: str | None = None
    ) -> shapes.AnalysisView:
        """Let a failed analysis go on from what failed, or have what is missing of a ready one added to it."""
        return self._call(
            shapes.AnalysisView,
            "POST",
            f"/api/v1/analyses/{part(analysis_id)}/retry",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def generations_kept(self, analysis_id: str) -> shapes.KeptGenerations:
        """Those that searches could go to, what served last first: each with its model, and until when it is kept."""
        return self._call(shapes.KeptGenerations, "GET", f"/api/v1/analyses/{part(analysis_id)}/generations")

    def generations_activate(
        self, analysis_id: str, generation_id: str, *, idempotency_key: str | None = None
    ) -> shapes.KeptGenerations:
        """Have searches go to this one from now on, at once; nothing is embedded. Where they do, nothing is changed."""
        return self._call(
            shapes.KeptGenerations,
            "POST",
            f"/api/v1/analyses/{part(analysis_id)}/generations/{part(generation_id)}/activate",
            headers={"Idempotency-Key": idempotency_key},
        )

    def analyses_preflight(
        self, body: shapes.AnalysisRequest, *, idempotency_key: str | None = None
    ) -> shapes.PreflightView:
        """Ask the repository's host what a request for an analysis would mean, without beginning one."""
        return self._call(
            shapes.PreflightView, "POST", "/api/v1/preflight", headers={"Idempotency-Key": idempotency_key}, body=body
        )

    def uploads_listed(self, *, cursor: str | None = None, limit: int | None = None) -> shapes.UploadPage:
        """The team's uploads that are kept, the newest first."""
        return self._call(shapes.UploadPage, "GET", "/api/v1/uploads", params={"cursor": cursor, "limit": limit})

    def uploads_receive(
        self, body: BinaryIO, *, name: str | None = None, idempotency_key: str | None = None
    ) -> shapes.UploadView:
        """Upload a zip or a tar (plain, gzip, bzip2, xz or zstd), as the body (201); the same content again is known (200)."""
        return self._call(
            shapes.UploadView,
            "POST",
            "/api/v1/uploads",
            params={"name": name},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def uploads_one(self, upload_id: str) -> shapes.UploadView:
        """One upload, for as long as it is kept."""
        return self._call(shapes.UploadView, "GET", f"/api/v1/uploads/{part(upload_id)}")

    def uploads_delete(self, upload_id: str) -> None:
        """Delete an upload that no repository was made of; else delete the repository, and it goes too."""
        self._content("DELETE", f"/api/v1/uploads/{part(upload_id)}")

    def contents_files(
        self,
        analysis_id: str,
        *,
        prefix: str | None = None,
        reason: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> shapes.FilePage:
        """The tree at the commit, by path; with `reason`, the files of which it is said (`syntax_errors`, `binary`, …)."""
        return self._call(
            shapes.FilePage,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/files",
            params={"prefix": prefix, "reason": reason, "cursor": cursor, "limit": limit},
        )

    def contents_skipped(
        self, analysis_id: str, *, reason: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> shapes.FilePage:
        """The files that were left out, or that failed, with their reasons."""
        return self._call(
            shapes.FilePage,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/skipped",
            params={"reason": reason, "cursor": cursor, "limit": limit},
        )

    def contents_symbols(
        self,
        analysis_id: str,
        *,
        path: str | None = None,
        kind: str | None = None,
        name: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> shapes.SymbolPage:
        """Definitions: of one file, of one kind, whose name begins so: `route`, or of what, `Flask.route`."""
        return self._call(
            shapes.SymbolPage,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/symbols",
            params={"path": path, "kind": kind, "name": name, "cursor": cursor, "limit": limit},
        )

    def contents_dependencies(
        self,
        analysis_id: str,
        *,
        ecosystem: str | None = None,
        scope: str | None = None,
        path: str | None = None,
        name: str | None = None,
        locked: bool | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> shapes.DependencyPage:
        """What manifests ask for and lock files chose, with the line of each; by manifest, lock files last."""
        return self._call(
            shapes.DependencyPage,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/dependencies",
            params={
                "ecosystem": ecosystem,
                "scope": scope,
                "path": path,
                "name": name,
                "locked": locked,
                "cursor": cursor,
                "limit": limit,
            },
        )

    def contents_lines(
        self,
        analysis_id: str,
        *,
        path: str,
        first_line: int | None = None,
        last_line: int | None = None,
        first: int | None = None,
        last: int | None = None,
    ) -> shapes.LinesView:
        """Lines of a file as they were analysed, at most 2,000."""
        return self._call(
            shapes.LinesView,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/lines",
            params={"path": path, "first_line": first_line, "last_line": last_line, "first": first, "last": last},
        )

    def contents_repositories(
        self, *, name: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> shapes.RepositoryPage:
        """Repositories, each with its newest analysis; the one that was asked for last comes first."""
        return self._call(
            shapes.RepositoryPage,
            "GET",
            "/api/v1/repositories",
            params={"name": name, "cursor": cursor, "limit": limit},
        )

    def contents_repository(self, repository_id: str) -> shapes.RepositoryView:
        """One repository with its newest analysis."""
        return self._call(shapes.RepositoryView, "GET", f"/api/v1/repositories/{part(repository_id)}")

    def deleting_delete(self, repository_id: str) -> shapes.DeletionView:
        """Delete a repository and all that was made of it. It is hidden at once; within a minute it is gone for good."""
        return self._call(shapes.DeletionView, "DELETE", f"/api/v1/repositories/{part(repository_id)}")

    def contents_repository_files(
        self,
        repository_id: str,
        *,
        prefix: str | None = None,
        reason: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> shapes.FilePage:
        """The tree of the newest analysis."""
        return self._call(
            shapes.FilePage,
            "GET",
            f"/api/v1/repositories/{part(repository_id)}/files",
            params={"prefix": prefix, "reason": reason, "cursor": cursor, "limit": limit},
        )

    def contents_repository_skipped(
        self, repository_id: str, *, reason: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> shapes.FilePage:
        """The files that the newest analysis left out, or that failed."""
        return self._call(
            shapes.FilePage,
            "GET",
            f"/api/v1/repositories/{part(repository_id)}/skipped",
            params={"reason": reason, "cursor": cursor, "limit": limit},
        )

    def contents_repository_symbols(
        self,
        repository_id: str,
        *,
        path: str | None = None,
        kind: str | None = None,
        name: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> shapes.SymbolPage:
        """Definitions in the newest analysis."""
        return self._call(
            shapes.SymbolPage,
            "GET",
            f"/api/v1/repositories/{part(repository_id)}/symbols",
            params={"path": path, "kind": kind, "name": name, "cursor": cursor, "limit": limit},
        )

    def contents_repository_dependencies(
        self,
        repository_id: str,
        *,
        ecosystem: str | None = None,
        scope: str | None = None,
        path: str | None = None,
        name: str | None = None,
        locked: bool | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> shapes.DependencyPage:
        """What the manifests ask for, in the newest analysis."""
        return self._call(
            shapes.DependencyPage,
            "GET",
            f"/api/v1/repositories/{part(repository_id)}/dependencies",
            params={
                "ecosystem": ecosystem,
                "scope": scope,
                "path": path,
                "name": name,
                "locked": locked,
                "cursor": cursor,
                "limit": limit,
            },
        )

    def graph_callers(
        self, analysis_id: str, symbol_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> shapes.LinkPage:
        """Who calls a definition, inherits from it or names it, with the line and how sure that is."""
        return self._call(
            shapes.LinkPage,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/symbols/{part(symbol_id)}/callers",
            params={"cursor": cursor, "limit": limit},
        )

    def graph_callees(
        self, analysis_id: str, symbol_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> shapes.LinkPage:
        """What a definition calls, inherits from or names, with the line and how sure that is."""
        return self._call(
            shapes.LinkPage,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/symbols/{part(symbol_id)}/callees",
            params={"cursor": cursor, "limit": limit},
        )

    def graph_imports(
        self, analysis_id: str, *, path: str, cursor: str | None = None, limit: int | None = None
    ) -> shapes.ImportPage:
        """What a file imports: files of the repository, dependencies, the standard library, or what nobody knows."""
        return self._call(
            shapes.ImportPage,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/imports",
            params={"path": path, "cursor": cursor, "limit": limit},
        )

    def graph_imported_by(
        self, analysis_id: str, *, path: str, cursor: str | None = None, limit: int | None = None
    ) -> shapes.ImportPage:
        """Which imports mean a file, or a folder."""
        return self._call(
            shapes.ImportPage,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/imported-by",
            params={"path": path, "cursor": cursor, "limit": limit},
        )

    def graph_connections(
        self, analysis_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> shapes.ConnectionPage:
        """Files by how many others they import, call, are imported and called by; the most connected first."""
        return self._call(
            shapes.ConnectionPage,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/connections",
            params={"cursor": cursor, "limit": limit},
        )

    def graph_modules(self, analysis_id: str, *, folder: str | None = None) -> shapes.ModuleMap:
        """How many imports and calls lead from one folder to another."""
        return self._call(
            shapes.ModuleMap, "GET", f"/api/v1/analyses/{part(analysis_id)}/modules", params={"folder": folder}
        )

    def graph_treemap(self, analysis_id: str, *, folder: str | None = None) -> shapes.Treemap:
        """What is right below a folder, with sizes, lines, languages and complexity."""
        return self._call(
            shapes.Treemap, "GET", f"/api/v1/analyses/{part(analysis_id)}/treemap", params={"folder": folder}
        )

    def comparing_compared(self, analysis_id: str, *, against: str) -> shapes.ComparisonView:
        """How an analysis differs from another one of its repository, in counts and times."""
        return self._call(
            shapes.ComparisonView,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/comparison",
            params={"against": against},
        )

    def comparing_differences(
        self,
        analysis_id: str,
        what: str,
        *,
        against: str,
        kind: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> shapes.DifferencePage:
        """What is in one of two analyses alone, or different in them."""
        return self._call(
            shapes.DifferencePage,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/differences/{part(what)}",
            params={"against": against, "kind": kind, "cursor": cursor, "limit": limit},
        )

    def comparing_answers(
        self, analysis_id: str, *, against: str, cursor: str | None = None, limit: int | None = None
    ) -> shapes.SameQuestions:
        """Questions that were asked at both analyses, each with both answers and what they cite."""
        return self._call(
            shapes.SameQuestions,
            "GET",
            f"/api/v1/analyses/{part(analysis_id)}/answers",
            params={"against": against, "cursor": cursor, "limit": limit},
        )

    def overview_one(self, analysis_id: str) -> shapes.OverviewView:
        """What it is, how it is built, its main modules and how they talk, entry points, how to run and test it."""
        return self._call(shapes.OverviewView, "GET", f"/api/v1/analyses/{part(analysis_id)}/overview")

    def overview_write(
        self, analysis_id: str, body: shapes.OverviewRequest, *, idempotency_key: str | None = None
    ) -> shapes.QuestionView:
        """Have the overview told in prose by a model, in a conversation of its own, which can be gone on with."""
        return self._call(
            shapes.QuestionView,
            "POST",
            f"/api/v1/analyses/{part(analysis_id)}/overview",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def searching_search(
        self,
        repository_id: str,
        *,
        folder: str | None = None,
        path: str | None = None,
        language: str | None = None,
        symbol: str | None = None,
        query: str,
        limit: int | None = None,
    ) -> shapes.SearchView:
        """Search by meaning and by words in a repository's newest index, or in one folder, file, language, definition."""
        return self._call(
            shapes.SearchView,
            "GET",
            f"/api/v1/repositories/{part(repository_id)}/search",
            params={
                "folder": folder,
                "path": path,
                "language": language,
                "symbol": symbol,
                "query": query,
                "limit": limit,
            },
        )

    def contents_staleness(self, repository_id: str) -> shapes.StalenessView:
        """Ask the host whether the ref of the analysis that serves points to another commit by now."""
        return self._call(shapes.StalenessView, "GET", f"/api/v1/repositories/{part(repository_id)}/staleness")

    def conversations_newest(
        self,
        *,
        repository_id: str | None = None,
        words: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> shapes.ConversationPage:
        """Conversations, newest first; about one repository where its id is given."""
        return self._call(
            shapes.ConversationPage,
            "GET",
            "/api/v1/conversations",
            params={"repository_id": repository_id, "words": words, "cursor": cursor, "limit": limit},
        )

    def conversations_begin(
        self, body: shapes.ConversationRequest, *, idempotency_key: str | None = None
    ) -> shapes.ConversationView:
        """Begin to talk about a repository."""
        return self._call(
            shapes.ConversationView,
            "POST",
            "/api/v1/conversations",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def conversations_one(self, conversation_id: str) -> shapes.ConversationView:
        """A conversation with its questions, oldest first."""
        return self._call(shapes.ConversationView, "GET", f"/api/v1/conversations/{part(conversation_id)}")

    def deleting_delete_conversation(self, conversation_id: str) -> shapes.ConversationDeletionView:
        """Delete a conversation that you began, or any of a team that you own. It is hidden at once, links to it end."""
        return self._call(shapes.ConversationDeletionView, "DELETE", f"/api/v1/conversations/{part(conversation_id)}")

    def conversations_document(self, conversation_id: str) -> shapes.ConversationDocument:
        """A conversation as one Markdown document, its citations as links to the lines at the repository's host."""
        return self._call(shapes.ConversationDocument, "GET", f"/api/v1/conversations/{part(conversation_id)}/document")

    def conversations_ask(
        self, conversation_id: str, body: shapes.QuestionRequest, *, idempotency_key: str | None = None
    ) -> shapes.QuestionView:
        """Ask. The answer comes over the question's stream, and stays in the conversation."""
        return self._call(
            shapes.QuestionView,
            "POST",
            f"/api/v1/conversations/{part(conversation_id)}/questions",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def conversations_ask_again(
        self, question_id: str, body: shapes.AgainRequest, *, idempotency_key: str | None = None
    ) -> shapes.QuestionView:
        """Have a question answered anew: another attempt beside the earlier ones, which stay."""
        return self._call(
            shapes.QuestionView,
            "POST",
            f"/api/v1/questions/{part(question_id)}/again",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def conversations_question(self, question_id: str) -> shapes.QuestionView:
        """A question and, when there is one, its answer."""
        return self._call(shapes.QuestionView, "GET", f"/api/v1/questions/{part(question_id)}")

    def conversations_stream(
        self, question_id: str, *, last_event_id: str | None = None
    ) -> AbstractContextManager[Iterator[ServerSent]]:
        """The answer while it is written (SSE). The last part is `done`, with the question as stored, or `failed`."""
        return self._stream(f"/api/v1/questions/{part(question_id)}/stream", headers={"Last-Event-ID": last_event_id})

    def conversations_stop(self, question_id: str, *, idempotency_key: str | None = None) -> shapes.QuestionView:
        """Give an answer up: the model's call ends within two seconds. One that has come by then stays."""
        return self._call(
            shapes.QuestionView,
            "POST",
            f"/api/v1/questions/{part(question_id)}/stop",
            headers={"Idempotency-Key": idempotency_key},
        )

    def conversations_rate(
        self, question_id: str, body: shapes.RatingRequest, *, idempotency_key: str | None = None
    ) -> shapes.QuestionView:
        """Say whether the answer helped."""
        return self._call(
            shapes.QuestionView,
            "POST",
            f"/api/v1/questions/{part(question_id)}/rating",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def installation_me(self) -> shapes.UserView:
        """Who is asking."""
        return self._call(shapes.UserView, "GET", "/api/v1/me")

    def deleting_delete_account(self, body: shapes.DepartureRequest) -> shapes.DepartureView:
        """Delete your account, your own tenant, and every team that has no other member. You are signed out everywhere."""
        return self._call(shapes.DepartureView, "DELETE", "/api/v1/me", body=body)

    def tenants_rename(self, tenant_id: str, body: shapes.TenantRequest) -> shapes.TenantView:
        """Give the team that you work in another name."""
        return self._call(shapes.TenantView, "PATCH", f"/api/v1/tenants/{part(tenant_id)}", body=body)

    def deleting_delete_tenant(self, tenant_id: str, body: shapes.DepartureRequest) -> shapes.DepartureView:
        """Delete a team that you own, with all that it has. Whoever worked in it is back in their own tenant."""
        return self._call(shapes.DepartureView, "DELETE", f"/api/v1/tenants/{part(tenant_id)}", body=body)

    def exporting_export_mine(self) -> bytes:
        """All that is yours, as one archive: what goes when you delete your account, and no secret of it."""
        return self._content("GET", "/api/v1/me/export")

    def bundles_export(self, analysis_id: str) -> bytes:
        """An analysis that is over as one file, to be imported elsewhere; secrets are taken out of its events and files."""
        return self._content("GET", f"/api/v1/analyses/{part(analysis_id)}/bundle")

    def bundles_export_conversation(self, conversation_id: str, *, with_analysis: bool | None = None) -> bytes:
        """A conversation as one file, to be imported elsewhere; secrets are taken out of what was said."""
        return self._content(
            "GET", f"/api/v1/conversations/{part(conversation_id)}/bundle", params={"with_analysis": with_analysis}
        )

    def bundles_take_over(self, body: BinaryIO, *, idempotency_key: str | None = None) -> shapes.TakenOver:
        """Import a bundle, as the body (201); the same one again is what it became (200). Nothing is asked of any host."""
        return self._call(
            shapes.TakenOver, "POST", "/api/v1/bundles", headers={"Idempotency-Key": idempotency_key}, body=body
        )

    def events_listed(
        self,
        *,
        stream_id: str | None = None,
        type: str | None = None,
        stage: str | None = None,
        since: str | None = None,
        until: str | None = None,
        text: str | None = None,
        after: int | None = None,
        latest: bool | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> shapes.EventPage:
        """Events in their order: of one stream after a version, or of all after a `seq`."""
        return self._call(
            shapes.EventPage,
            "GET",
            "/api/v1/events",
            params={
                "stream_id": stream_id,
                "type": type,
                "stage": stage,
                "since": since,
                "until": until,
                "text": text,
                "after": after,
                "latest": latest,
                "cursor": cursor,
                "limit": limit,
            },
        )

    def events_live(
        self, *, stream_id: str, after: int | None = None, last_event_id: str | None = None
    ) -> AbstractContextManager[Iterator[ServerSent]]:
        """The events of any stream as they happen, after those that were missed (SSE)."""
        return self._stream(
            "/api/v1/events/live",
            params={"stream_id": stream_id, "after": after},
            headers={"Last-Event-ID": last_event_id},
        )

    def installation_config(self) -> shapes.ConfigView:
        """What this installation offers."""
        return self._call(shapes.ConfigView, "GET", "/api/v1/config")

    def inspecting_state(
        self,
        *,
        stream_id: str,
        version: int | None = None,
        at: str | None = None,
        against: int | None = None,
        against_at: str | None = None,
        with_state: bool | None = None,
    ) -> shapes.StateView:
        """What a stream added up to at a version, or at a time; as of now where neither is given."""
        return self._call(
            shapes.StateView,
            "GET",
            "/api/v1/events/state",
            params={
                "stream_id": stream_id,
                "version": version,
                "at": at,
                "against": against,
                "against_at": against_at,
                "with_state": with_state,
            },
        )

    def inspecting_moments(self, *, stream_id: str) -> shapes.MomentsView:
        """When a repository, or one of its newest analyses, came to stand otherwise: the times to look at it as it was."""
        return self._call(shapes.MomentsView, "GET", "/api/v1/events/moments", params={"stream_id": stream_id})

    def inspecting_timeline(self, *, stream_id: str) -> shapes.TimelineView:
        """The runs of an analysis: how long each waited for a worker, and how long it was worked on."""
        return self._call(shapes.TimelineView, "GET", "/api/v1/events/timeline", params={"stream_id": stream_id})

    def inspecting_causes(self, *, stream_id: str) -> shapes.CausesView:
        """What led to what: each event of a stream with the one that caused it, and what it led to in other streams."""
        return self._call(shapes.CausesView, "GET", "/api/v1/events/causes", params={"stream_id": stream_id})

    def forks_make(self, body: shapes.ForkRequest, *, idempotency_key: str | None = None) -> shapes.ForkView:
        """Edit an event of a copy of a history, and go on from it with the present code and the recorded replies."""
        return self._call(
            shapes.ForkView, "POST", "/api/v1/forks", headers={"Idempotency-Key": idempotency_key}, body=body
        )

    def account_kept(self) -> shapes.CredentialPage:
        """The tokens that you keep here, the newest first; never their values."""
        return self._call(shapes.CredentialPage, "GET", "/api/v1/me/credentials")

    def account_keep(
        self, body: shapes.CredentialRequest, *, idempotency_key: str | None = None
    ) -> shapes.CredentialView:
        """Keep a token for the private repositories of a host. From now on your analyses of that host use it."""
        return self._call(
            shapes.CredentialView,
            "POST",
            "/api/v1/me/credentials",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def account_forget(self, credential_id: str) -> None:
        """Forget a token. An analysis that has not cloned yet fails; what was analysed stays."""
        self._content("DELETE", f"/api/v1/me/credentials/{part(credential_id)}")

    def audit_search(
        self,
        *,
        since: str | None = None,
        until: str | None = None,
        user: str | None = None,
        action: str | None = None,
        outcome: str | None = None,
        target: str | None = None,
        address: str | None = None,
        code: str | None = None,
        tenant_id: str | None = None,
        correlation_id: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> shapes.AuditPage:
        """Entries that fit, newest first."""
        return self._call(
            shapes.AuditPage,
            "GET",
            "/api/v1/audit",
            params={
                "since": since,
                "until": until,
                "user": user,
                "action": action,
                "outcome": outcome,
                "target": target,
                "address": address,
                "code": code,
                "tenant_id": tenant_id,
                "correlation_id": correlation_id,
                "cursor": cursor,
                "limit": limit,
            },
        )

    def audit_export(
        self,
        *,
        since: str | None = None,
        until: str | None = None,
        user: str | None = None,
        action: str | None = None,
        outcome: str | None = None,
        target: str | None = None,
        address: str | None = None,
        code: str | None = None,
        tenant_id: str | None = None,
        correlation_id: str | None = None,
    ) -> bytes:
        """All entries that fit, as JSON lines, oldest first."""
        return self._content(
            "GET",
            "/api/v1/audit/export",
            params={
                "since": since,
                "until": until,
                "user": user,
                "action": action,
                "outcome": outcome,
                "target": target,
                "address": address,
                "code": code,
                "tenant_id": tenant_id,
                "correlation_id": correlation_id,
            },
        )

    def audit_verification(self, *, after: int | None = None, limit: int | None = None) -> shapes.AuditCheck:
        """Whether the trail is as it was written: the hash of each entry is worked out again, from a position on."""
        return self._call(
            shapes.AuditCheck, "GET", "/api/v1/audit/verification", params={"after": after, "limit": limit}
        )

    def credentials_list_keys(self, *, cursor: str | None = None, limit: int | None = None) -> shapes.ApiKeyPage:
        """Your API keys in this tenant, the newest first."""
        return self._call(shapes.ApiKeyPage, "GET", "/api/v1/me/keys", params={"cursor": cursor, "limit": limit})

    def credentials_create_key(
        self, body: shapes.ApiKeyRequest, *, idempotency_key: str | None = None
    ) -> shapes.ApiKeyMade:
        """Make an API key. Its secret is in this answer, and nowhere else afterwards."""
        return self._call(
            shapes.ApiKeyMade, "POST", "/api/v1/me/keys", headers={"Idempotency-Key": idempotency_key}, body=body
        )

    def credentials_revoke_key(self, key_id: str) -> None:
        """Revoke an API key: within five seconds nobody takes it any more."""
        self._content("DELETE", f"/api/v1/me/keys/{part(key_id)}")

    def credentials_list_grants(self, *, cursor: str | None = None, limit: int | None = None) -> shapes.GrantPage:
        """The programs that act for you in this tenant, the newest first."""
        return self._call(shapes.GrantPage, "GET", "/api/v1/me/grants", params={"cursor": cursor, "limit": limit})

    def credentials_begin_grant(
        self, body: shapes.GrantRequest, *, idempotency_key: str | None = None
    ) -> shapes.TokenPair:
        """Let a program act for you: a session token, and a refresh token that is good once for the next pair."""
        return self._call(
            shapes.TokenPair, "POST", "/api/v1/me/grants", headers={"Idempotency-Key": idempotency_key}, body=body
        )

    def credentials_end_grant(self, grant_id: str) -> None:
        """Let a program act for you no longer: within five seconds its tokens are refused."""
        self._content("DELETE", f"/api/v1/me/grants/{part(grant_id)}")

    def people_people(
        self,
        *,
        search: str | None = None,
        suspended: bool | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> shapes.PersonPage:
        """People of this installation, the newest first; with `search`, those whose login, name or id it fits."""
        return self._call(
            shapes.PersonPage,
            "GET",
            "/api/v1/people",
            params={"search": search, "suspended": suspended, "cursor": cursor, "limit": limit},
        )

    def people_suspend(self, user_id: str, *, idempotency_key: str | None = None) -> shapes.PersonView:
        """Let somebody in no more: within five seconds their sessions, tokens, keys and open event streams are over."""
        return self._call(
            shapes.PersonView,
            "POST",
            f"/api/v1/people/{part(user_id)}/suspension",
            headers={"Idempotency-Key": idempotency_key},
        )

    def people_restore(self, user_id: str) -> shapes.PersonView:
        """Let somebody in again: they sign in anew, and their keys are good again."""
        return self._call(shapes.PersonView, "DELETE", f"/api/v1/people/{part(user_id)}/suspension")

    def letters_listed(
        self, *, settled: bool | None = None, cursor: str | None = None, limit: int | None = None
    ) -> shapes.LetterPage:
        """What waits for an administrator, the newest first; with `settled`, also what was decided."""
        return self._call(
            shapes.LetterPage,
            "GET",
            "/api/v1/dead-letters",
            params={"settled": settled, "cursor": cursor, "limit": limit},
        )

    def letters_one(self, letter_id: str) -> shapes.LetterView:
        """One parked message."""
        return self._call(shapes.LetterView, "GET", f"/api/v1/dead-letters/{part(letter_id)}")

    def letters_retry(self, letter_id: str, *, idempotency_key: str | None = None) -> shapes.LetterView:
        """Have it done again: the workflow decides anew, a run is asked for once more, a question as its asker had it."""
        return self._call(
            shapes.LetterView,
            "POST",
            f"/api/v1/dead-letters/{part(letter_id)}/retry",
            headers={"Idempotency-Key": idempotency_key},
        )

    def letters_discard(self, letter_id: str, *, idempotency_key: str | None = None) -> shapes.LetterView:
        """Have it not done, for good. What waits for it may wait for ever: cancel that, or begin it anew."""
        return self._call(
            shapes.LetterView,
            "POST",
            f"/api/v1/dead-letters/{part(letter_id)}/discard",
            headers={"Idempotency-Key": idempotency_key},
        )

    def letters_message(self, letter_id: str) -> shapes.LetterMessage:
        """The values of a parked run that can be changed. What is private in it is not shown, and can be set."""
        return self._call(shapes.LetterMessage, "GET", f"/api/v1/dead-letters/{part(letter_id)}/message")

    def letters_edit(
        self, letter_id: str, body: shapes.LetterEdit, *, idempotency_key: str | None = None
    ) -> shapes.LetterView:
        """Have a parked run done with other values, as its next attempt. Who changed what is an event of its stream."""
        return self._call(
            shapes.LetterView,
            "POST",
            f"/api/v1/dead-letters/{part(letter_id)}/edit",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def rebuilds_begin(self, body: shapes.RebuildRequest, *, idempotency_key: str | None = None) -> shapes.RebuildView:
        """Have the read models built again from events and artifacts, beside those that serve meanwhile."""
        return self._call(
            shapes.RebuildView, "POST", "/api/v1/rebuilds", headers={"Idempotency-Key": idempotency_key}, body=body
        )

    def rebuilds_one(self, rebuild_id: str) -> shapes.RebuildView:
        """One rebuild, with what was found once it is done."""
        return self._call(shapes.RebuildView, "GET", f"/api/v1/rebuilds/{part(rebuild_id)}")

    def rebuilds_live(self, rebuild_id: str) -> AbstractContextManager[Iterator[ServerSent]]:
        """How a rebuild goes on, from now until it is over (SSE)."""
        return self._stream(f"/api/v1/rebuilds/{part(rebuild_id)}/live")

    def collections_state(self) -> shapes.CollectionsState:
        """Count the collections of all generations, and say what is served by an earlier model than is set."""
        return self._call(shapes.CollectionsState, "GET", "/api/v1/collections")

    def collections_begin(
        self, body: shapes.CollectionRequest, *, idempotency_key: str | None = None
    ) -> shapes.CollectionRebuild:
        """Have a collection built again beside the one that serves, compared and swapped, or only compared."""
        return self._call(
            shapes.CollectionRebuild,
            "POST",
            "/api/v1/collections/rebuilds",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def collections_one(self, rebuild_id: str) -> shapes.CollectionRebuild:
        """One rebuild of a collection, with what was found once it is done."""
        return self._call(shapes.CollectionRebuild, "GET", f"/api/v1/collections/rebuilds/{part(rebuild_id)}")

    def collections_live(self, rebuild_id: str) -> AbstractContextManager[Iterator[ServerSent]]:
        """How the rebuild of a collection goes on, from now until it is over (SSE)."""
        return self._stream(f"/api/v1/collections/rebuilds/{part(rebuild_id)}/live")

    def shadows_listed(self, *, cursor: str | None = None, limit: int | None = None) -> shapes.ShadowPage:
        """The team's shadows, the newest first."""
        return self._call(shapes.ShadowPage, "GET", "/api/v1/shadows", params={"cursor": cursor, "limit": limit})

    def shadows_begin(self, body: shapes.ShadowRequest, *, idempotency_key: str | None = None) -> shapes.ShadowView:
        """Have a stage of the present code run over the recorded inputs of an analysis; nothing live is touched."""
        return self._call(
            shapes.ShadowView, "POST", "/api/v1/shadows", headers={"Idempotency-Key": idempotency_key}, body=body
        )

    def shadows_one(self, shadow_id: str) -> shapes.ShadowView:
        """One shadow, with what is different once it is done; of an index what is found, of answers both."""
        return self._call(shapes.ShadowView, "GET", f"/api/v1/shadows/{part(shadow_id)}")

    def shadows_drop(self, shadow_id: str) -> None:
        """Remove a shadow with all that it made."""
        self._content("DELETE", f"/api/v1/shadows/{part(shadow_id)}")

    def shadows_live(self, shadow_id: str) -> AbstractContextManager[Iterator[ServerSent]]:
        """How a shadow goes on, from now until it is over (SSE): `done` of its runs are."""
        return self._stream(f"/api/v1/shadows/{part(shadow_id)}/live")

    def shadows_promote(self, shadow_id: str, *, idempotency_key: str | None = None) -> shapes.ShadowView:
        """Let what it made take the place of what serves, as the next attempt at each shard, in one transaction."""
        return self._call(
            shapes.ShadowView,
            "POST",
            f"/api/v1/shadows/{part(shadow_id)}/promote",
            headers={"Idempotency-Key": idempotency_key},
        )

    def tokens_rotate(self, *, idempotency_key: str | None = None) -> shapes.RotationView:
        """Publish the next signing key. It signs once every copy of the key set has it; nobody is signed out by it."""
        return self._call(
            shapes.RotationView, "POST", "/api/v1/signing-keys/rotation", headers={"Idempotency-Key": idempotency_key}
        )

    def usage_usage(self) -> shapes.UsageView:
        """What your tenant has at this moment of each thing that a quota counts. Days are those of UTC."""
        return self._call(shapes.UsageView, "GET", "/api/v1/usage")

    def installation_services(self) -> shapes.ServiceList:
        """Ask each service whether it is ready."""
        return self._call(shapes.ServiceList, "GET", "/api/v1/installation/services")

    def installation_queues(self) -> shapes.QueueList:
        """What waits, what is at work, and how many workers each queue has."""
        return self._call(shapes.QueueList, "GET", "/api/v1/installation/queues")

    def installation_teams(self, *, cursor: str | None = None, limit: int | None = None) -> shapes.TeamUsagePage:
        """What each team uses and what its answers cost, the newest team first."""
        return self._call(
            shapes.TeamUsagePage, "GET", "/api/v1/installation/teams", params={"cursor": cursor, "limit": limit}
        )

    def installation_settings(self) -> shapes.SettingList:
        """Check what is set for the orchestrator, as `repostream config check` does."""
        return self._call(shapes.SettingList, "GET", "/api/v1/installation/settings")

    def sessions_mine(self, *, cursor: str | None = None, limit: int | None = None) -> shapes.SessionPage:
        """Your sessions, the newest first; none where nobody signs in."""
        return self._call(shapes.SessionPage, "GET", "/api/v1/me/sessions", params={"cursor": cursor, "limit": limit})

    def sessions_end(self, session_id: str) -> None:
        """End one of your sessions: within five seconds nobody is let in by it any more."""
        self._content("DELETE", f"/api/v1/me/sessions/{part(session_id)}")

    def tenants_mine(self) -> shapes.TenantPage:
        """The tenants that you belong to: your own, then teams by name."""
        return self._call(shapes.TenantPage, "GET", "/api/v1/tenants")

    def tenants_create(self, body: shapes.TenantRequest, *, idempotency_key: str | None = None) -> shapes.TenantView:
        """Make a team. You are its owner; switch to it to work in it."""
        return self._call(
            shapes.TenantView, "POST", "/api/v1/tenants", headers={"Idempotency-Key": idempotency_key}, body=body
        )

    def tenants_switch(self, tenant_id: str, *, idempotency_key: str | None = None) -> shapes.TenantView:
        """Work in another tenant of yours from now on, in this session. Its tokens of before are refused."""
        return self._call(
            shapes.TenantView,
            "POST",
            f"/api/v1/tenants/{part(tenant_id)}/switch",
            headers={"Idempotency-Key": idempotency_key},
        )

    def members_listed(self, tenant_id: str) -> shapes.MemberPage:
        """Owners, members and viewers."""
        return self._call(shapes.MemberPage, "GET", f"/api/v1/tenants/{part(tenant_id)}/members")

    def members_change(self, user_id: str, tenant_id: str, body: shapes.RoleChange) -> None:
        """Make a member something else: within five seconds they may do that and no more."""
        self._content("PATCH", f"/api/v1/tenants/{part(tenant_id)}/members/{part(user_id)}", body=body)

    def members_remove(self, user_id: str, tenant_id: str) -> None:
        """Remove a member: within five seconds nothing of theirs leads into the team. Their analyses stay the team's."""
        self._content("DELETE", f"/api/v1/tenants/{part(tenant_id)}/members/{part(user_id)}")

    def members_leave(self, tenant_id: str, *, idempotency_key: str | None = None) -> None:
        """Leave the team that you work in."""
        self._content("POST", f"/api/v1/tenants/{part(tenant_id)}/leave", headers={"Idempotency-Key": idempotency_key})

    def invitations_listed(
        self, tenant_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> shapes.InvitationPage:
        """The team's invitations, the newest first, with those that are over."""
        return self._call(
            shapes.InvitationPage,
            "GET",
            f"/api/v1/tenants/{part(tenant_id)}/invitations",
            params={"cursor": cursor, "limit": limit},
        )

    def invitations_make(
        self, tenant_id: str, body: shapes.InvitationRequest, *, idempotency_key: str | None = None
    ) -> shapes.InvitationMade:
        """Make a link by which one person joins. Its secret is in this answer, and nowhere else afterwards."""
        return self._call(
            shapes.InvitationMade,
            "POST",
            f"/api/v1/tenants/{part(tenant_id)}/invitations",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def invitations_revoke(self, invitation_id: str, tenant_id: str) -> None:
        """Take an open invitation back."""
        self._content("DELETE", f"/api/v1/tenants/{part(tenant_id)}/invitations/{part(invitation_id)}")

    def invitations_offer(
        self, body: shapes.InvitationSecret, *, idempotency_key: str | None = None
    ) -> shapes.OfferView:
        """What an invitation offers you. It is not used by looking."""
        return self._call(
            shapes.OfferView,
            "POST",
            "/api/v1/invitations/offer",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def invitations_accept(
        self, body: shapes.InvitationSecret, *, idempotency_key: str | None = None
    ) -> shapes.TenantView:
        """Join the team. Switch to it to work in it."""
        return self._call(
            shapes.TenantView,
            "POST",
            "/api/v1/invitations/accept",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def shares_share_repository(
        self, repository_id: str, body: shapes.ShareRequest, *, idempotency_key: str | None = None
    ) -> shapes.ShareMade:
        """Make a link that shows a repository as its newest analysis has it. The secret is in this answer alone."""
        return self._call(
            shapes.ShareMade,
            "POST",
            f"/api/v1/repositories/{part(repository_id)}/shares",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def shares_share_conversation(
        self, conversation_id: str, body: shapes.ShareRequest, *, idempotency_key: str | None = None
    ) -> shapes.ShareMade:
        """Make a link that shows a conversation, with what is asked in it later. The secret is in this answer alone."""
        return self._call(
            shapes.ShareMade,
            "POST",
            f"/api/v1/conversations/{part(conversation_id)}/shares",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def shares_listed(
        self, *, resource_id: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> shapes.SharePage:
        """The tenant's open links, the newest first; those of one repository or conversation where its id is given."""
        return self._call(
            shapes.SharePage,
            "GET",
            "/api/v1/shares",
            params={"resource_id": resource_id, "cursor": cursor, "limit": limit},
        )

    def shares_revoke(self, share_id: str) -> None:
        """End a link: within five seconds it shows nothing any more. Whoever made it may do that, and owners."""
        self._content("DELETE", f"/api/v1/shares/{part(share_id)}")

    def shares_shared(self) -> shapes.SharedView:
        """What the sharing link shows that you ask with."""
        return self._call(shapes.SharedView, "GET", "/api/v1/shared")

    def webhooks_webhooks(self) -> shapes.WebhookPage:
        """The tenant's webhooks, oldest first; never more than one page of them."""
        return self._call(shapes.WebhookPage, "GET", "/api/v1/webhooks")

    def webhooks_create(
        self, body: shapes.WebhookRequest, *, idempotency_key: str | None = None
    ) -> shapes.WebhookSecretView:
        """Add a webhook. The answer holds the secret that its messages are signed with; keep it, it is not shown again."""
        return self._call(
            shapes.WebhookSecretView,
            "POST",
            "/api/v1/webhooks",
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )

    def webhooks_change(self, webhook_id: str, body: shapes.WebhookChange) -> shapes.WebhookView:
        """Change a webhook, switch it off, or on again; what waits for it is then sent."""
        return self._call(shapes.WebhookView, "PATCH", f"/api/v1/webhooks/{part(webhook_id)}", body=body)

    def webhooks_remove(self, webhook_id: str) -> None:
        """Remove a webhook with all that it was told."""
        self._content("DELETE", f"/api/v1/webhooks/{part(webhook_id)}")

    def webhooks_deliveries(
        self, webhook_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> shapes.DeliveryPage:
        """What it was told, newest first, with every attempt."""
        return self._call(
            shapes.DeliveryPage,
            "GET",
            f"/api/v1/webhooks/{part(webhook_id)}/deliveries",
            params={"cursor": cursor, "limit": limit},
        )

    def webhooks_redeliver(
        self, webhook_id: str, delivery_id: str, *, idempotency_key: str | None = None
    ) -> shapes.DeliveryView:
        """Send one again, with the same `webhook-id`."""
        return self._call(
            shapes.DeliveryView,
            "POST",
            f"/api/v1/webhooks/{part(webhook_id)}/deliveries/{part(delivery_id)}/redeliver",
            headers={"Idempotency-Key": idempotency_key},
        )

    def push_hooks_one(self, repository_id: str) -> shapes.PushHookView:
        """The push hook of a repository, and what its newest call came to."""
        return self._call(shapes.PushHookView, "GET", f"/api/v1/repositories/{part(repository_id)}/push-hook")

    def push_hooks_make(self, repository_id: str, *, idempotency_key: str | None = None) -> shapes.PushHookSecretView:
        """Make the push hook of a repository, or give it a new secret: what was signed with the old one is refused then."""
        return self._call(
            shapes.PushHookSecretView,
            "POST",
            f"/api/v1/repositories/{part(repository_id)}/push-hook",
            headers={"Idempotency-Key": idempotency_key},
        )

    def push_hooks_remove(self, repository_id: str) -> None:
        """End the push hook of a repository."""
        self._content("DELETE", f"/api/v1/repositories/{part(repository_id)}/push-hook")

    def tokens_trade(self, body: shapes.SessionTrade) -> shapes.TokenView:
        """Trade a browser's session for a token of ten minutes, or less where the session ends sooner."""
        return self._call(shapes.TokenView, "POST", "/auth/token", body=body)

    def tokens_refresh(self, body: shapes.RefreshRequest) -> shapes.TokenPair:
        """Use a refresh token up: the next one, and a session token. One that was used before ends all that came of it."""
        return self._call(shapes.TokenPair, "POST", "/auth/refresh", body=body)

    def tokens_revoke(self, body: shapes.RevokeRequest) -> None:
        """End a refresh token and all that came of it. Done, too, where there is none: nobody learns which exist."""
        self._content("POST", "/auth/revoke", body=body)

    def tokens_key_set(self) -> dict[str, object]:
        """The public keys that session tokens are signed with (RFC 7517)."""
        return self._call(dict[str, object], "GET", "/.well-known/jwks.json")

    def sign_in_providers(self) -> list[shapes.ProviderView]:
        """The ways to sign in; none where whoever is at this machine is the one user."""
        return self._call(list[shapes.ProviderView], "GET", "/auth/providers")
