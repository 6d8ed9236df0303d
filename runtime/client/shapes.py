"""The shapes of the API's requests and replies. Made by `make client`: not to be edited."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class AgainRequest(BaseModel):
    """
    Ask again: by another of the configured models, in another mode, in other words, or as before without these.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    query: str | None = None
    model: str | None = None
    mode: str | None = None


class AnalysisRequest(BaseModel):
    """
    Ask for an analysis of `url` at `ref` (a branch, a tag or a commit; the default branch where it is left out).

    `folder` limits it to what is below that path. Both may stand in the address: `/tree/<ref>/<folder>`. `include` are
    patterns, as `.gitignore` has them, of files to be read although a rule would leave them out.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    url: str
    ref: str | None = None
    commit: Annotated[
        str | None,
        Field(description="What a look showed for that ref: it is read, wherever the ref is by now."),
    ] = None
    include: Annotated[list[str], Field(max_length=50)] = []
    folder: str | None = None
    force: Annotated[bool, Field(description="Begin although that commit was analysed already.")] = False
    history: Annotated[int, Field(description="How many commits back history is read; 0: none.")] = 0
    token: Annotated[
        str | None,
        Field(description="For this analysis alone, of a private repository."),
    ] = None
    credential: Annotated[str | None, Field(description="A kept token (`/me/credentials`) to read it by.")] = None
    after: Annotated[
        str | None,
        Field(
            description="The analysis of the same repository that it is to renew: no more history is read than is by now."
        ),
    ] = None


class ApiKeyMade(BaseModel):
    """
    A new API key with its secret, which is shown this once.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    key_id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    used_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    secret: str


class ApiKeyRequest(BaseModel):
    """
    What the key is called, what it may do, and for how long.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    name: str
    scopes: Annotated[list[str], Field(max_length=5, min_length=1)]
    expires_in_days: int = 90


class ApiKeyView(BaseModel):
    """
    An API key without its secret. `prefix` is how it begins; `used_at` is kept to the minute.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    key_id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    used_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None


class AttemptView(BaseModel):
    """
    One attempt: seconds, HTTP status (null: no answer), why it failed, and the first bytes of the answer.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    number: int
    at: AwareDatetime
    duration: float
    status: int | None = None
    code: str
    answer: str


class AuditCheck(BaseModel):
    """
    Whether the trail is whole. `broken_at` is the first entry that does not fit what stands before it.

    `next` is what to go on after where not all was checked. Note `last` and `hash` elsewhere: they prove all before.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    checked: int
    first: int
    last: int
    hash: str
    broken_at: int | None = None
    next: int | None = None


class AuditView(BaseModel):
    """
    One entry. `login` is what the person is called now; empty where nobody was signed in or the account is gone.

    `status` is null where the connection ended before an answer. `hash` seals it to the entry before; `origin` is the
    hash of `salt`, address and agent that it covers. Without a salt the account was deleted, and from where is gone.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    position: int
    entry_id: str
    at: AwareDatetime
    action: str
    outcome: str
    target: str
    status: int | None = None
    code: str
    tenant_id: str | None = None
    user_id: str | None = None
    login: str = ""
    proof: str
    proof_id: str | None = None
    address: str
    agent: str
    correlation_id: str | None = None
    times: int
    salt: str | None = None
    origin: str | None = None
    hash: str


class CancelBody(BaseModel):
    """
    Why the analysis is to stop; may be left out.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    reason: str = ""


class CellView(BaseModel):
    """
    What lines of a notebook's file say: `lines`, from `first_line` on, of its cell `number`, as they are read.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    number: int
    kind: str
    language: str
    first_line: int
    lines: list[str]


class ChangeView(BaseModel):
    """
    One place of a state that is different; `path` is a JSON Pointer (RFC 6901). What is not there is null.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    path: str
    kind: str
    before: Any | None = None
    after: Any | None = None


class Citation(BaseModel):
    """
    A place in the repository that an answer rests on, checked against the stored sources.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    path: str
    first_line: int
    last_line: int
    chunk_id: str | None = None


class CollectionRequest(BaseModel):
    """
    Have the collection of a generation built again, or (`replace` false) only compared.

    `of` is a repository (what serves it), an analysis (its best generation with vectors) or a generation.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    of: str
    replace: bool = True


class Comparison(BaseModel):
    """
    A collection beside its generation's stored vectors. `held` is what it has in all.

    It is None where the collection is not there, or cannot be read. Of the generation's `vectors`, so many are
    `missing` and so many `different`; `extra` are no generation's. Each number of a vector may be off by a rounding,
    which `held_checksum` leaves out: it is `checksum` where all are there.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    vectors: int
    held: int | None = None
    missing: int
    extra: int
    different: int
    checksum: str
    held_checksum: str
    agrees: Annotated[
        bool,
        Field(description="Whether the collection has all of the generation, and nothing that is no one's."),
    ]


class ConfigView(BaseModel):
    """
    What this installation offers: the configured models (the first is the default; none: extractive answers).

    `modes` are those that questions can be asked in and that differ here, the default first.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    models: list[str]
    modes: list[str]
    hosts: list[str]
    loopback_repositories: bool


class ConnectionView(BaseModel):
    """
    One file in the graph of files, each other file counted once; and the complexity of its functions together.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    path: str
    imports: int
    imported_by: int
    calls: int
    called_by: int
    functions: int
    complexity: int
    most_complex: int


class ConversationDeletionView(BaseModel):
    """
    Which conversation was deleted, and when: nobody sees it any more; within a minute it is gone for good.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    conversation_id: str
    deleted_at: AwareDatetime


class ConversationDocument(BaseModel):
    """
    A conversation as Markdown.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    conversation_id: str
    markdown: str


class ConversationRequest(BaseModel):
    """
    Begin to talk about a repository.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    repository_id: str


class ConversationSummary(BaseModel):
    """
    A conversation in a list: what was asked first, as it was asked last, and how many questions it has.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    conversation_id: str
    repository_id: str
    title: str
    started_at: AwareDatetime
    first_question: str | None = None
    questions: int = 0


class CountsView(BaseModel):
    """
    How many things are in the newer one alone, in the older one alone, in both but different, or the same.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    added: int
    removed: int
    changed: int
    same: int


class CredentialRequest(BaseModel):
    """
    Keep a token for the private repositories of a host. `name` is for you to know it by.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    host: str
    name: str = ""
    token: str


class CredentialView(BaseModel):
    """
    A kept token, without its value. `used_at` is when a clone last used it.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    credential_id: str
    host: str
    name: str
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    used_at: AwareDatetime | None = None


class DamagedCollection(BaseModel):
    """
    A generation whose collection does not have its `vectors`: it has `held`.

    None where the collection is not there, or cannot be read.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    generation_id: str
    analysis_id: str
    kind: str
    vectors: int
    held: int | None = None


class DecisionView(BaseModel):
    """
    One decision of the workflow as the log has it and as the fork has it, each as one line; null where it is not.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    event_type: str
    agrees: bool
    real: str | None = None
    fork: str | None = None
    real_version: int = 0
    fork_version: int = 0


class DeletionView(BaseModel):
    """
    What was deleted, and when: nobody sees it any more, and within a minute it is gone for good.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    repository_id: str
    deleted_at: AwareDatetime


class DeliveryView(BaseModel):
    """
    One message to one webhook. Its id is the `webhook-id` header. `due_at` is when a pending one is sent.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    delivery_id: str
    type: str
    state: str
    attempts: int
    created_at: AwareDatetime
    due_at: AwareDatetime | None = None
    log: Annotated[list[AttemptView], Field(validate_default=True)] = []


class DepartureRequest(BaseModel):
    """
    What is to be deleted by its name, letter by letter: your login, or the name of the team.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    confirm: str


class DepartureView(BaseModel):
    """
    The tenants that were deleted, and when: nobody sees them any more, within a minute they are gone for good.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    tenants: list[str]
    deleted_at: AwareDatetime


class DependencyView(BaseModel):
    """
    One mention of a dependency in a manifest, or in a lock file (`locked`); `line` is 0 where it is not known.

    `scope` is one of runtime, peer, optional, dev, test, build, managed (only a version, for whoever needs it),
    constraint and transitive; `version` is what a lock file chose, empty where none did.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    ecosystem: str
    name: str
    constraint: str
    version: str
    scope: str
    group: str
    path: str
    line: int
    locked: bool


class DifferenceView(BaseModel):
    """
    One thing that is different: what it is, as its path or path, kind and name; what is known of it in each.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    name: list[str]
    kind: str
    before: dict[str, object] | None = None
    after: dict[str, object] | None = None


class EarlierModel(BaseModel):
    """
    An earlier model than is set, which made what serves so many analyses; `newest` are some of them.

    `asked`: whether this installation has their questions embedded by it; else their searches are by words. `chosen`:
    somebody went back to it, and they stay as they are until yet another model is set.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    model: str
    analyses: int
    newest: list[str]
    asked: bool
    chosen: bool = False


class ElsewhereView(BaseModel):
    """
    An event of another stream that led to one of this stream, or that one of this stream led to.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    stream_id: str
    version: int
    event_type: str


class Envelope(BaseModel):
    """
    An event as the log recorded it. `version` is its place in its stream, `seq` its place among all events.

    `erased` names the fields whose values are gone for good: somebody had what they belong to deleted.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    event_id: str
    event_type: str
    schema_version: int = 1
    stream_id: str
    version: int
    seq: int | None = None
    repository_id: str | None = None
    user_id: str | None = None
    tenant_id: str
    stage: str | None = None
    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None
    timestamp: AwareDatetime
    data: dict[str, object]
    erased: list[str] = []


class EstimateView(BaseModel):
    """
    What an analysis was expected to take once its tree was listed.

    `seconds` until it is ready, by `measured` earlier analyses; null where there are none. `cost` of embedding `tokens`
    in `currency`; null where that costs nothing. `over` are the limits (files, bytes, minutes, cost) that it is over;
    then it waited until `until` for a person, who let it go on at `confirmed_at`. `known_files` with `known_bytes` are
    as an earlier analysis had them; what it made of them may be taken over, and is not taken off the other numbers.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    files: int
    bytes: int
    known_files: int = 0
    known_bytes: int = 0
    seconds: float | None = None
    measured: int = 0
    tokens: int = 0
    cost: float | None = None
    currency: str = ""
    over: list[str] = []
    until: AwareDatetime | None = None
    confirmed_at: AwareDatetime | None = None


class EventPage(BaseModel):
    """
    A page of events as the log recorded them.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[Envelope]
    next: str | None = None


class FileView(BaseModel):
    """
    One entry of the tree at the commit. `outcome` is parsed, lines, failed or null where it was skipped.

    `reason` says why it was cut by lines, `errors` how many syntax errors the parser met, `error_lines` where the first
    of them are (`3`, `7-9`). `rule` is the line of the repository's own rules that decided (`.repostreamignore:3`), or
    `request` where whoever asked wants it read.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    path: str
    language: str | None = None
    file_class: str
    size: int
    lines: int
    outcome: str | None = None
    reason: str | None = None
    errors: int = 0
    error_lines: list[str] = []
    skipped: str | None = None
    rule: str = ""
    failed: str | None = None


class ForkRequest(BaseModel):
    """
    A stream, as `analysis/<id>`, the version of the event that is edited, and new values of its `data` by name.

    Without changes it goes on from there as it was, which shows what the present code does differently.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    stream_id: str
    version: int
    changes: Annotated[dict[str, object], Field(max_length=50)] = {}


class ForkedEvent(BaseModel):
    """
    One event after the edited one. `real_version` is its place in the real history, 0 where it has none.

    `agrees`: it says the same there; what was decided at the same place may say something else.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    version: int
    event_type: str
    stage: str = ""
    shard: int = 0
    real_version: int = 0
    agrees: bool = True


class GrantRequest(BaseModel):
    """
    What a program that acts for you may do.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    scopes: Annotated[list[str], Field(max_length=5, min_length=1)]


class GrantView(BaseModel):
    """
    A program that acts for you by refresh tokens. `used_at` is when it last got one.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    grant_id: str
    scopes: list[str]
    began_at: AwareDatetime
    used_at: AwareDatetime
    expires_at: AwareDatetime


class HeadView(BaseModel):
    """
    What was cloned: the ref as git names it, and the commit's author date and subject; null where git has none.

    `tree_cut`: more entries than are read, `out_of_scope` elsewhere; `login_refused`: the token was, by its host.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    ref: str | None = None
    default_branch: str | None = None
    authored_at: AwareDatetime | None = None
    subject: str | None = None
    tree_cut: bool = False
    out_of_scope: int = 0
    login_refused: bool = False


class ImportView(BaseModel):
    """
    One name that a file imports. `resolution` is file, folder, dependency, standard or unknown.

    `target` is the path of the file or folder, or the name of the dependency.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    path: str
    line: int
    written: str
    module: str
    name: str
    alias: str
    resolution: str
    target: str
    confidence: float


class InvitationMade(BaseModel):
    """
    A new invitation with its secret and its link, which are shown this once.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    invitation_id: str
    role: str
    login: str | None = None
    state: str
    created_by: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    used_at: AwareDatetime | None = None
    used_by: str | None = None
    secret: str
    url: str


class InvitationRequest(BaseModel):
    """
    As what somebody is invited, for how long, and who alone may accept; without a login, whoever has the link.

    The login is one of the provider that you signed in with yourself.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    role: str = "member"
    login: str | None = None
    expires_in_days: int = 7


class InvitationSecret(BaseModel):
    """
    The secret of an invitation: what stands in its link behind the `#`.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    secret: str


class InvitationView(BaseModel):
    """
    An invitation without its secret.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    invitation_id: str
    role: str
    login: str | None = None
    state: str
    created_by: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    used_at: AwareDatetime | None = None
    used_by: str | None = None


class KeptGeneration(BaseModel):
    """
    A full generation of an analysis that is complete. `since` it serves, or did so last.

    `kept_until`: when it is let go, None of the one that `serves`. `asked`: whether questions can be embedded by its
    model, without which nobody goes back to it.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    generation_id: str
    model: str
    chunks: int
    vectors: int
    since: AwareDatetime
    serves: bool
    kept_until: AwareDatetime | None = None
    asked: bool


class KeptGenerations(BaseModel):
    """
    Those of one analysis that searches could go to, what served last first. `wanted` is the model that is set.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    analysis_id: str
    wanted: str
    items: list[KeptGeneration]


class LetterEdit(BaseModel):
    """
    New values by name; the others stay. `inputs` may lose artifacts, and get none.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    changes: Annotated[dict[str, object], Field(max_length=10)]


class LetterMessage(BaseModel):
    """
    What can be changed of a parked run: the names, and the values of those that are not private.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    letter_id: str
    editable: list[str]
    values: dict[str, object]


class LetterView(BaseModel):
    """
    A parked message, without what it says: the headers of its event are null where it is none of ours.

    `repeatable`: it can be done again. `resolution` is what was decided (`retried`, `edited`, `discarded`), null while
    it waits.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    letter_id: str
    consumer: str
    topic: str
    seq: int
    event_id: str | None = None
    event_type: str | None = None
    stream_id: str | None = None
    tenant_id: str | None = None
    repository_id: str | None = None
    correlation_id: str | None = None
    parked_at: AwareDatetime
    error: str
    attempts: int
    repeatable: bool
    resolved_at: AwareDatetime | None = None
    resolution: str | None = None


class LinesView(BaseModel):
    """
    Lines of one file at the analysed commit, as stored; of a notebook also the cells that they are of.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    path: str
    commit: str
    language: str | None = None
    first_line: int
    last_line: int
    line_count: int
    text: str
    cells: Annotated[list[CellView], Field(validate_default=True)] = []


class LinkView(BaseModel):
    """
    One use whose definition was found: `kind` is call, inherit, use (named without being called) or import.

    An import counts where nothing else in its file leads to the definition.

    `symbol_id`, `name`, `kind_of_symbol` and `symbol_path` are of the definition at the other end: what uses it, of
    callers; what is used, of callees. They are null and empty where a file does so outside of any definition. `level`
    says how it was found: exact, inferred, overloaded or named; `confidence` how sure that is, from 0 to 1.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    kind: str
    path: str
    line: int
    symbol_id: str | None = None
    name: str
    kind_of_symbol: str
    symbol_path: str
    symbol_line: int
    confidence: float
    level: str


class MemberView(BaseModel):
    """
    Somebody in a team. `you` is whoever asks.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    user_id: str
    login: str
    name: str
    role: str
    since: AwareDatetime
    you: bool


class MissingView(BaseModel):
    """
    What the fork would need from outside and nothing is recorded of: a run's result, or what an event led to.

    `code` is `effect_not_recorded`: it is not done for real, and the fork goes on without it.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    code: str
    what: str
    stage: str = ""
    shard: int = 0
    attempt: int = 0


class ModuleEdgeView(BaseModel):
    """
    How many imports and calls lead from the files of one folder (or from one file) to those of another.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    source: str
    target: str
    imports: int
    calls: int


class ModuleLinkView(BaseModel):
    """
    How many imports and calls lead from one module to another; one of them stands at `path`, `line`.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    source: str
    target: str
    imports: int
    calls: int
    path: str
    line: int


class ModuleMap(BaseModel):
    """
    The edges between folders, or between what is right below one, most first; at most 200.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[ModuleEdgeView]


class ModuleView(BaseModel):
    """
    A main module: a folder with what is below it, or a file; `path` is empty for the top folder.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    path: str
    is_file: bool
    files: int
    lines: int
    languages: list[str]


class MomentView(BaseModel):
    """
    When something of a repository changed: the event of this version of this stream made it so.

    `analysis_id`, its `state` and its `commit` from then on, where it was an analysis that changed.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    at: AwareDatetime
    stream_id: str
    version: int
    event_type: str
    analysis_id: str | None = None
    state: str | None = None
    commit: str | None = None


class MomentsView(BaseModel):
    """
    The moments of a repository, the oldest first; `analyses_left_out` counts the older analyses without theirs.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    stream_id: str
    items: list[MomentView]
    analyses_left_out: int = 0


class OfferView(BaseModel):
    """
    What an invitation offers.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    tenant_id: str
    team: str
    role: str
    inviter: str


class OverviewRequest(BaseModel):
    """
    Have it told. `model` is one of the configured ones; the default where it is left out.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    model: str | None = None


class OverviewSectionView(BaseModel):
    """
    One section as Markdown with citations `[path:first-last]`.

    `key` is what, built, modules, entries or commands; a section that no fact supports is not there.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    key: str
    title: str
    text: str


class OverviewView(BaseModel):
    """
    What a repository is, from facts alone. `has_graph` says whether the graph was there to tell of modules.

    `diagram` is a map of the modules as Mermaid text, empty where there is none; `markdown` all of it in one document.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    analysis_id: str
    repository_id: str
    name: str
    url: str
    commit: str
    has_graph: bool
    sections: list[OverviewSectionView]
    modules: list[ModuleView]
    links: list[ModuleLinkView]
    diagram: str
    citations: list[Citation]
    questions: list[str]
    markdown: str


class Passage(BaseModel):
    """
    A piece of a file that was found. Lines are 1-based and inclusive.

    `ranks`: which retriever put it where, `scores` by which own score: BM25 (lexical), cosine (dense). `grown_from`:
    the lines that were found, in the definition that is shown. A neighbour was not found itself; its `relation` to one
    that was is type (whose beginning it is), imports (of its file) or caller (of a function in it). `folded`: others
    that say the same, or lie in it.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    chunk_id: str
    path: str
    first_line: int
    last_line: int
    text: str
    language: str | None = None
    file_class: str = "other"
    symbols: list[str] = []
    score: float = 0.0
    ranks: dict[str, int] = {}
    scores: dict[str, float] = {}
    grown_from: Citation | None = None
    neighbour_of: Citation | None = None
    relation: str = ""
    folded: Annotated[list[Citation], Field(validate_default=True)] = []


class PassedOver(BaseModel):
    """
    A model that was to answer and did not, with the code of why.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    model: str
    code: str


class PersonView(BaseModel):
    """
    A person. `subject` is their id at the `issuer` (empty: at none that is known).

    `seen_at` is when they were last here (null: unknown).
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    user_id: str
    provider: str
    issuer: str
    subject: str
    login: str
    name: str
    admin: bool
    created_at: AwareDatetime
    suspended_at: AwareDatetime | None = None
    seen_at: AwareDatetime | None = None


class PlanStep(BaseModel):
    """
    One retriever of a search: how many chunks it found, and its weight in the fusion.

    `about` is what it looked for where that is not the whole question. The weight is 0 where what it found is put
    forward by itself. `absent` where what it looks in is not made yet: later it would know better.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    retriever: str
    found: int
    weight: float = 0.0
    about: str = ""
    absent: bool = False


class ProviderView(BaseModel):
    """
    A way to sign in: `name` for `/auth/login?provider=`, `label` for the button.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    name: str
    label: str


class PushHookSecretView(BaseModel):
    """
    A new push hook with its secret (`whsec_…`), which is never shown again.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    hook_id: str
    repository_id: str
    url: str
    created_at: AwareDatetime
    created_by: str
    works: bool
    received_at: AwareDatetime | None = None
    outcome: str
    branch: str | None = None
    secret: str


class PushHookView(BaseModel):
    """
    A repository's push hook. `url` is what its host is to call; without a public address only its path is known.

    `branch` is the one whose pushes it takes, empty for the default branch; null, of an old hook, for the newest
    analysis's. `works` is false where whoever made it may not begin analyses any more: make it anew. `outcome` is what
    the newest signed call, at `received_at`, came to; empty before there was one.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    hook_id: str
    repository_id: str
    url: str
    created_at: AwareDatetime
    created_by: str
    works: bool
    received_at: AwareDatetime | None = None
    outcome: str
    branch: str | None = None


class QueueView(BaseModel):
    """
    One group of consumers on one topic.

    `waiting` messages were given to nobody yet (null: the transport cannot say), `held` are at work or were left by a
    worker that ended; `workers` were there within the last minute, each for one message at a time.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    topic: str
    consumer: str
    waiting: int | None = None
    held: int
    workers: int


class QuotaView(BaseModel):
    """
    One quota of the tenant: what it has, and how much it may have; null is as much as it likes.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    name: str
    used: int
    allowed: int | None = None


class RatingRequest(BaseModel):
    """
    Whether the answer helped: 1 or -1.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    rating: Literal[-1, 1]


class RebuildRequest(BaseModel):
    """
    With `replace`, rows that come out differently take the place of those that serve; else they are compared.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    replace: Annotated[bool, Field(description="Put right what differs; without it, only look.")] = True


class RebuiltTable(BaseModel):
    """
    One table: rows and checksum as they served and as they were rebuilt; of how many ids rows differ, and some.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    table: str
    rows: int
    rebuilt: int
    checksum: str
    rebuilt_checksum: str
    differing: int
    ids: list[str]


class RefreshRequest(BaseModel):
    """
    A refresh token.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    refresh_token: str


class RetryBody(BaseModel):
    """
    What is to run again; left out, all that failed.

    A `stage`, or one `shard` of it, though it succeeded: then what is made of its result follows. `files`: only files
    whose parse failed, and shards of files that were lost. `reason` is kept beside who asked.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    stage: str | None = None
    shard: int | None = None
    files: bool = False
    reason: str = ""


class ReusedView(BaseModel):
    """
    How many of the files read so far were the same in an earlier analysis, and taken over; `percent` rounds down.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    files: int
    of: int
    percent: int


class RevokeRequest(BaseModel):
    """
    The refresh token that is to end.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    refresh_token: str


class RoleChange(BaseModel):
    """
    What a member is to be.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    role: str


class RotationView(BaseModel):
    """
    The next key that signs session tokens, and from when on it does.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    kid: str
    signs_from: AwareDatetime


class RunView(BaseModel):
    """
    One attempt at one shard of one stage: `waited` seconds in the queue, then `worked` seconds.

    `outcome` is queued, running, completed, failed or parked. `requested_in`, `started_in` and `ended_in` are the
    versions of the events that say so; 0 for none.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    stage: str
    shard: int
    attempt: int
    outcome: str
    requested_at: AwareDatetime
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    waited: float
    worked: float
    requested_in: int
    started_in: int
    ended_in: int
    worker: str = ""
    code: str = ""
    because: str = ""


class Scope(BaseModel):
    """
    What a search is limited to; all that are given must hold. `symbol` is a definition: `send`, `Session.send`.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    folder: str = ""
    path: str = ""
    language: str = ""
    symbol: str = ""


class SearchView(BaseModel):
    """
    What a search found, the best first, and in which analysis and commit. `degraded` and `plan` as of a question.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    analysis_id: str
    commit: str
    generation_kind: str
    degraded: str | None = None
    passages: list[Passage]
    plan: Annotated[list[PlanStep], Field(validate_default=True)] = []


class ServiceView(BaseModel):
    """
    A service. `reason` says what it lacks, or that it does not answer; empty where it is ready.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    name: str
    ready: bool
    reason: str


class SessionTrade(BaseModel):
    """
    The secret of a browser's session.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    session: str


class SessionView(BaseModel):
    """
    A browser in which you are signed in. `seen_at` is kept to the minute, `current` is the one that asks.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    session_id: str
    created_at: AwareDatetime
    seen_at: AwareDatetime
    expires_at: AwareDatetime
    address: str
    agent: str
    current: bool


class SettingView(BaseModel):
    """
    One setting: how it is, where its value comes from, and what to do. Never a value.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    service: str
    setting: str
    state: str
    source: str
    detail: str


class ShadowAnswered(BaseModel):
    """
    An answer as it was given, or as the present code gives it; `refused` is empty, or why nothing was answered.

    `generation_kind` is the index that was searched for it: the one that served then, or that serves now.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    answer: str
    mode: str
    refused: str = ""
    generation_kind: str | None = None
    citations: Annotated[list[Citation], Field(validate_default=True)] = []
    removed_citations: int = 0
    removed_quotes: int = 0
    confidence: float | None = None


class ShadowPassage(BaseModel):
    """
    A passage that either side found, with its place there, from 1; null on the side that did not find it.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    path: str
    first_line: int
    last_line: int
    live: int | None = None
    shadow: int | None = None


class ShadowRequest(BaseModel):
    """
    An analysis of the team, and the stage: metadata, structure, parse, link, index, embed, answer or workflow.

    `passages_of` names a shadow of parse of the same analysis that is done: an index is made of its passages.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    analysis_id: str
    stage: str = "workflow"
    passages_of: str | None = None


class ShadowSearch(BaseModel):
    """
    What was found of a question on both sides: the shadow's passages in their order, then those that it lost.

    It was asked in a conversation, or suggested as a first one where nobody asked any yet. `same` have the same place
    on both sides, `moved` another one. `live_degraded` and `shadow_degraded` say why a side was searched by words only.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    question: str
    conversation_id: str | None = None
    question_id: str | None = None
    passages: list[ShadowPassage]
    same: int
    moved: int
    gained: int
    lost: int
    live_degraded: str | None = None
    shadow_degraded: str | None = None


class ShadowTable(BaseModel):
    """
    Rows of one kind of artifact as they serve (`live`) and as the shadow made them.

    `columns` are those that only one side has. An example has the row `before` and `after`, null where it is not there.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    live: int
    shadow: int
    same: int
    added: int
    removed: int
    changed: int
    columns: list[str] = []
    examples: list[dict[str, object]] = []


class ShareMade(BaseModel):
    """
    A new sharing link with its secret, which is shown this once.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    share_id: str
    kind: str
    resource_id: str
    created_by: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    secret: str
    url: str


class ShareRequest(BaseModel):
    """
    For how long the link is to show it.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    expires_in_hours: int = 168


class ShareView(BaseModel):
    """
    A sharing link without its secret.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    share_id: str
    kind: str
    resource_id: str
    created_by: str
    created_at: AwareDatetime
    expires_at: AwareDatetime


class SharedView(BaseModel):
    """
    What a sharing link shows.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    kind: str
    resource_id: str


class SpentView(BaseModel):
    """
    Tokens that were embedded, over all attempts, and what that cost; `cost_usd` is null where nobody said.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    tokens: int
    cost_usd: float | None = None


class StageCompared(BaseModel):
    """
    One stage: seconds that its runs worked, one after the other, in each of the two; null where it has none.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    stage: str
    before: float | None = None
    after: float | None = None


class StageTime(BaseModel):
    """
    One stage: its attempts, the sums of what they waited and worked in seconds, and the longest of each.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    stage: str
    runs: int
    waited: float
    worked: float
    longest_wait: float
    longest_run: float


class StageView(BaseModel):
    """
    One stage of an analysis. `counts` adds up its shards' counts; times are null until they are known.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    stage: str
    state: str
    shards: int = 0
    shards_done: int = 0
    attempt: int = 1
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    duration: float | None = None
    files_processed: int = 0
    counts: dict[str, int] = {}
    code: str | None = None
    message: str | None = None
    retry_at: AwareDatetime | None = None


class StalenessView(BaseModel):
    """
    What the analysis of a repository that serves is of, and what its ref points to now; else the newest one.

    `behind_by` is how many commits the host says that lie between, null where it does not say; with `behind_or_more`
    there are so many, or more. `checked_at` is when the host was asked: it is asked again after five minutes at the
    soonest.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    analysis_id: str
    standing: str
    ref: str | None = None
    commit: str
    newest: str | None = None
    behind_by: int | None = None
    behind_or_more: bool = False
    checked_at: AwareDatetime


class StateView(BaseModel):
    """
    A stream at one version, beside another one.

    `event` is what made it that version, null before the first one. `changes` lead from the state at `against` to this
    one; of more than are listed, `changes_left_out` counts the rest. `state` is null where it was not asked for.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    stream_id: str
    newest: int
    version: int
    against: int
    at: AwareDatetime | None = None
    event: Envelope | None = None
    state: dict[str, object] | None = None
    changes: Annotated[list[ChangeView], Field(validate_default=True)] = []
    changes_left_out: int = 0


class StepView(BaseModel):
    """
    One step of an answer in deep mode: what which tool was asked (as JSON), and what came of it.

    `said` is what the model said of it. `outcome` is ok, or the code of why there is no result; `found` counts what
    came back, `characters` how long it was, `places` are the lines that came with their text. `seconds` and the tokens
    are of the model's call and the tool's together.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    number: int
    tool: str
    asked: str
    said: str = ""
    outcome: str = "ok"
    found: int = 0
    characters: int = 0
    places: Annotated[list[Citation], Field(validate_default=True)] = []
    seconds: float = 0.0
    provider: str = ""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


class SymbolView(BaseModel):
    """
    One definition. `id` names it in its analysis.

    `visibility` is public, internal, protected, private or empty where nobody knows; `complexity` McCabe's, 0 for what
    is no function; `code_lines` are those that are neither blank nor comment.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    id: str
    path: str
    kind: str
    name: str
    qualified_name: str
    signature: str
    docstring: str
    first_line: int
    last_line: int
    visibility: str = ""
    complexity: int = 0
    code_lines: int = 0


class TakenOver(BaseModel):
    """
    What a bundle became: what is in it as it is called here, and there. What is not in it is null.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    analysis_id: str | None = None
    repository_id: str
    from_analysis_id: str | None = None
    bundle: str
    conversation_id: str | None = None
    from_conversation_id: str | None = None


class TeamUsageView(BaseModel):
    """
    A team, or one person's own (`personal`), and what it has of each thing that a quota counts.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    tenant_id: str
    name: str
    personal: bool
    created_at: AwareDatetime
    people: int
    quotas: list[QuotaView]


class TenantRequest(BaseModel):
    """
    What the team is called.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    name: str


class TenantView(BaseModel):
    """
    A tenant of yours: `personal` is your own, `current` the one that you work in, `role` what you are in it.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    tenant_id: str
    name: str
    personal: bool
    role: str
    since: AwareDatetime
    current: bool


class TimelineView(BaseModel):
    """
    The runs of a stream in the order in which they were asked for. `at` is when this was told.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    stream_id: str
    at: AwareDatetime
    began_at: AwareDatetime
    last_at: AwareDatetime
    stages: list[StageTime]
    runs: list[RunView]


class TokenPair(BaseModel):
    """
    A session token, and the refresh token that is good once for the next pair.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    access_token: str
    expires_in: int
    token_type: str = "Bearer"
    refresh_token: str


class TokenView(BaseModel):
    """
    A session token (JWT), to be sent as `Authorization: Bearer …`, and how many seconds it lives.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    access_token: str
    expires_in: int
    token_type: str = "Bearer"


class TreemapItem(BaseModel):
    """
    A file, or a folder with all that is below it. `language` is that of most of its bytes.

    `changes` are the commits that changed each file, added up; 0 where the history was not asked for.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    path: str
    name: str
    is_file: bool
    files: int
    size: int
    lines: int
    language: str | None = None
    functions: int
    complexity: int
    changes: int = 0


class UploadView(BaseModel):
    """
    An uploaded archive. Ask for its analysis by `url`; `sha256` is of the file as it came, `bytes` its size.

    `repositories` were made of it: while there are some it stays, and goes with the last of them.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    upload_id: str
    url: str
    name: str
    kind: str
    sha256: str
    bytes: int
    uploaded_at: AwareDatetime
    repositories: list[str] = []


class UsageView(BaseModel):
    """
    What the tenant has of each thing that a quota counts: running, repositories, bytes, questions, tokens, money.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    at: AwareDatetime
    quotas: list[QuotaView]


class UserView(BaseModel):
    """
    Who is signed in, what they are in the tenant they work in, and what this credential lets them do.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    user_id: str
    tenant_id: str
    name: str
    local: bool
    role: str = "owner"
    scopes: list[str] = []


class WebhookChange(BaseModel):
    """
    What is left out stays as it is. `enabled` true also begins anew with one that was disabled.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    url: str | None = None
    events: list[str] | None = None
    enabled: bool | None = None


class WebhookRequest(BaseModel):
    """
    Tell `url` of `events`; of all where they are left out.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    url: str
    events: Annotated[list[str], Field(max_length=3, min_length=1)] = []


class WebhookSecretView(BaseModel):
    """
    A new webhook with its secret (`whsec_…`), which is never shown again.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    webhook_id: str
    url: str
    events: list[str]
    enabled: bool
    disabled_reason: str | None = None
    failing_since: AwareDatetime | None = None
    created_at: AwareDatetime
    secret: str


class WebhookView(BaseModel):
    """
    A webhook. `disabled_reason` is `gone` (it answered 410) or `failing`; a success ends `failing_since`.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    webhook_id: str
    url: str
    events: list[str]
    enabled: bool
    disabled_reason: str | None = None
    failing_since: AwareDatetime | None = None
    created_at: AwareDatetime


class Problem(BaseModel):
    """
    An error as RFC 9457 describes it. `code` is stable; `detail` says what to do.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    type: str
    title: str
    status: int
    detail: str
    code: str
    correlation_id: str


class AnalysisSummary(BaseModel):
    """
    One analysis as lists show it. `version` is that of its stream: listen to events after it.

    `history_depth` is how many commits back its history was asked for. `imported_at` is when it was taken over from a
    bundle, which is when work on it began here; null where it was made here.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    analysis_id: str
    repository_id: str
    url: str
    name: str
    ref: str | None = None
    folder: str = ""
    include: list[str] = []
    commit: str | None = None
    head: HeadView | None = None
    state: str
    version: int
    requested_at: AwareDatetime
    imported_at: AwareDatetime | None = None
    history_depth: int = 0
    answerable_at: AwareDatetime | None = None
    ready_at: AwareDatetime | None = None
    refined_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    code: str | None = None
    message: str | None = None
    partial: bool = False
    totals: dict[str, int] = {}
    skipped: dict[str, int] = {}
    failed: dict[str, int] = {}
    languages: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    reused: ReusedView | None = None
    damaged: list[str] = []


class AnalysisView(BaseModel):
    """
    One analysis with its stages and facts.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    analysis_id: str
    repository_id: str
    url: str
    name: str
    ref: str | None = None
    folder: str = ""
    include: list[str] = []
    commit: str | None = None
    head: HeadView | None = None
    state: str
    version: int
    requested_at: AwareDatetime
    imported_at: AwareDatetime | None = None
    history_depth: int = 0
    answerable_at: AwareDatetime | None = None
    ready_at: AwareDatetime | None = None
    refined_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    code: str | None = None
    message: str | None = None
    partial: bool = False
    totals: dict[str, int] = {}
    skipped: dict[str, int] = {}
    failed: dict[str, int] = {}
    languages: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    reused: ReusedView | None = None
    damaged: list[str] = []
    stages: list[StageView]
    estimate: EstimateView | None = None
    spent: SpentView | None = None
    metadata: dict[str, object] = {}
    structure: dict[str, object] = {}
    history: dict[str, object] = {}


class ApiKeyPage(BaseModel):
    """
    A page of API keys.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[ApiKeyView]
    next: str | None = None


class AuditPage(BaseModel):
    """
    A page of entries, newest first.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[AuditView]
    next: str | None = None


class CauseView(BaseModel):
    """
    An event and the version of the one that led to it; 0 where none in this stream did.

    `depth` counts the causes that lead to it. `from_outside`: its cause is in another stream; `elsewhere` says which
    event it is, where that is still there. `led_to` are the events of other streams that it led to. `about` is the
    stream of the analysis that a question was asked about, or answered from.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    version: int
    event_type: str
    stage: str = ""
    shard: int = 0
    timestamp: AwareDatetime
    cause: int
    depth: int
    from_outside: bool = False
    elsewhere: ElsewhereView | None = None
    led_to: Annotated[list[ElsewhereView], Field(validate_default=True)] = []
    about: str | None = None


class CausesView(BaseModel):
    """
    What led to what in a stream.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    stream_id: str
    items: list[CauseView]


class CollectionRebuild(BaseModel):
    """
    A collection that is built again, or compared: `asked` until it is `done`, or `failed`, as `message` explains.

    `before` is the one that served, `after` the one that took over.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    rebuild_id: str
    generation_id: str
    analysis_id: str
    repository_id: str
    kind: str
    model: str | None = None
    replace: bool
    state: str
    asked_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    message: str | None = None
    before: Comparison | None = None
    after: Comparison | None = None


class CollectionsState(BaseModel):
    """
    The collections of all generations that are built, by their counts; `damaged` has the first hundred that are.

    `wanted` is the model that is set for full generations.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    checked: int
    wrong: int
    damaged: list[DamagedCollection]
    wanted: str
    earlier: list[EarlierModel]


class ComparedView(BaseModel):
    """
    One of the two. `seconds` from the request, or its import, until it was ready; `cost` as estimated, where known.

    `spent` is what embedding it really took. `lacks`: stages of which not every shard has a result (of clone, metadata
    and parse), so that what it has not is not gone.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    analysis_id: str
    commit: str | None = None
    ref: str | None = None
    state: str
    requested_at: AwareDatetime
    seconds: float | None = None
    cost: float | None = None
    currency: str = ""
    spent: SpentView | None = None
    totals: dict[str, int] = {}
    lacks: list[str] = []


class ComparisonView(BaseModel):
    """
    What is different between two analyses of a repository; the lists are below `differences`.

    Files are compared by their content; symbols by signatures, length, complexity and the text of their bodies, not by
    where they stand; chunks by their texts, file by file.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    before: ComparedView
    after: ComparedView
    files: CountsView
    symbols: CountsView
    dependencies: CountsView
    chunks: CountsView
    stages: list[StageCompared]


class ConnectionPage(BaseModel):
    """
    A page of files, the most connected first.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[ConnectionView]
    next: str | None = None


class ConversationPage(BaseModel):
    """
    A page of conversations, each with its first question.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[ConversationSummary]
    next: str | None = None


class CredentialPage(BaseModel):
    """
    The kept tokens; there are never more than one page of them.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[CredentialView]
    next: str | None = None


class DeliveryPage(BaseModel):
    """
    A page of deliveries.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[DeliveryView]
    next: str | None = None


class DependencyPage(BaseModel):
    """
    A page of dependencies by manifest; `total` counts them over all pages.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[DependencyView]
    total: int
    next: str | None = None


class DifferencePage(BaseModel):
    """
    A page of differences in the order of their names; `total` counts them over all pages.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[DifferenceView]
    total: int
    next: str | None = None


class FilePage(BaseModel):
    """
    A page of entries of the tree; `total` counts them over all pages.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[FileView]
    total: int
    next: str | None = None


class ForkView(BaseModel):
    """
    A fork beside the real history; `edited`, `then` and `now` lead from the real event and states to the fork's.

    `agrees`: with the same decisions and all of the record; the time at which each was made may be another. `events`
    follow the edited one in the fork, `real` in the real history; `unused` are versions of that which have no place in
    the fork. Of each list 500 at most are told; `left_out` counts the rest.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    stream_id: str
    version: int
    event_type: str
    real_events: int
    fork_events: int
    agrees: bool
    edited: list[ChangeView]
    then: list[ChangeView]
    now: list[ChangeView]
    decisions: list[DecisionView]
    not_recorded: list[MissingView]
    events: list[ForkedEvent]
    real: Annotated[list[ForkedEvent], Field(validate_default=True)] = []
    unused: list[int]
    left_out: int = 0


class GrantPage(BaseModel):
    """
    A page of programs that act for you.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[GrantView]
    next: str | None = None


class ImportPage(BaseModel):
    """
    A page of imports; `total` counts them over all pages.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[ImportView]
    total: int
    next: str | None = None


class InvitationPage(BaseModel):
    """
    A page of invitations, the newest first.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[InvitationView]
    next: str | None = None


class LetterPage(BaseModel):
    """
    A page of parked messages.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[LetterView]
    next: str | None = None


class LinkPage(BaseModel):
    """
    A page of callers or callees; `total` counts them over all pages.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[LinkView]
    total: int
    next: str | None = None


class MemberPage(BaseModel):
    """
    The members of a team; there is never more than one page of them.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[MemberView]
    next: str | None = None


class PersonPage(BaseModel):
    """
    A page of people.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[PersonView]
    next: str | None = None


class PreflightView(BaseModel):
    """
    What a request for an analysis would mean at this moment. Null `ref`: the default branch, as it was asked.

    `branches` and `tags` are the first of them by name.
    `size` is what the host says that the repository takes, in bytes, history and all; null where it does not say.
    `finished` is a whole analysis of the same commit and folder.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    url: str
    host: str
    name: str
    ref: str | None = None
    folder: str
    commit: str | None = None
    default_branch: str | None = None
    branches: list[str]
    tags: list[str]
    branch_count: int
    tag_count: int
    size: int | None = None
    finished: AnalysisSummary | None = None


class QuestionRequest(BaseModel):
    """
    Ask. `model` is one of the configured ones; the default where it is left out.

    `mode` is answer (one search, then the model), deep (the model searches and reads in steps) or extractive (the
    places themselves, without a model).
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    query: str
    model: str | None = None
    mode: str = "answer"
    scope: Annotated[
        Scope | None,
        Field(description="What is searched: a folder, a file, a language, a definition."),
    ] = None


class QuestionView(BaseModel):
    """
    A question and, when there is one, its answer. `state` is asked, answered or failed.

    `again` is the first attempt at the same question, where this is another one.
    `degraded` says why the search behind it was by words only: vectors_unavailable, vectors_missing, model_changed,
    embedder_unavailable.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    answer: str | None = None
    mode: str | None = None
    citations: Annotated[list[Citation], Field(validate_default=True)] = []
    removed_citations: int = 0
    passages: Annotated[list[Passage], Field(validate_default=True)] = []
    analysis_id: str | None = None
    commit: str | None = None
    generation_kind: str | None = None
    degraded: str | None = None
    confidence: float | None = None
    provider: str | None = None
    model: str | None = None
    prompt: str = ""
    response_time: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    is_estimated: bool = False
    refused: str = ""
    evidence: float | None = None
    removed_quotes: int = 0
    standalone: str = ""
    standalone_by: str = ""
    history_turns: int = 0
    history_tokens: int = 0
    history_left_out: int = 0
    passed_over: Annotated[list[PassedOver], Field(validate_default=True)] = []
    plan: Annotated[list[PlanStep], Field(validate_default=True)] = []
    earlier: str | None = None
    earlier_at: AwareDatetime | None = None
    steps: Annotated[list[StepView], Field(validate_default=True)] = []
    question_id: str
    conversation_id: str
    repository_id: str
    query: str
    state: str
    asked_at: AwareDatetime
    code: str | None = None
    message: str | None = None
    rating: int | None = None
    again: str | None = None
    scope: Scope | None = None


class QueueList(BaseModel):
    """
    All queues. `unplaced` events are committed and not carried on yet, the oldest for `unplaced_seconds`.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[QueueView]
    unplaced: int
    unplaced_seconds: float


class RebuiltProjection(BaseModel):
    """
    The tables of one projection, built from so many `events` up to the place `seq` of the log.

    It took `seconds`; for `waited` of them the projection that serves took no new events.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    projection: str
    seq: int
    events: int
    seconds: float
    waited: float
    agrees: bool
    tables: list[RebuiltTable]


class RepositoryView(BaseModel):
    """
    A repository, or one `folder` of it, and its newest analysis.

    `serving` is the one that searches and questions go to: the newest, or an earlier one until the newest is as good as
    that; null where there is none.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    repository_id: str
    url: str
    name: str
    folder: str = ""
    host: str
    registered_at: AwareDatetime
    latest: AnalysisSummary | None = None
    serving: str | None = None


class ServiceList(BaseModel):
    """
    All services that other services ask; the page server is not among them.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[ServiceView]


class SessionPage(BaseModel):
    """
    A page of sessions.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[SessionView]
    next: str | None = None


class SettingList(BaseModel):
    """
    What is set for the orchestrator. Other services have settings of their own: `repostream config check`.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[SettingView]


class ShadowAnswer(BaseModel):
    """
    A recorded question, its answer (`before`), and the present code's (`after`), or why there is none (`code`).

    `changed` names what differs: answer, citations, refused. `gained` and `lost` are the citations of one side alone.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    question: str
    conversation_id: str
    question_id: str
    before: ShadowAnswered
    after: ShadowAnswered | None = None
    changed: list[str] = []
    gained: Annotated[list[Citation], Field(validate_default=True)] = []
    lost: Annotated[list[Citation], Field(validate_default=True)] = []
    code: str | None = None
    message: str | None = None


class ShadowReport(BaseModel):
    """
    What is different: rows by kind of artifact, counts and facts of the stage; of the workflow its decisions.

    Of an index what is found in it (`searches`), looked up when one shadow is looked at, for whoever looks at it; and
    of what its vectors are (`index`): model, kind, how many, and of how many passages none is recorded. Of answers
    each question with both (`answers`), likewise for whoever looks, and how many of those that it answered are not
    there any more (`gone`). `agrees` is null where nothing was compared.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    agrees: bool | None = None
    tables: Annotated[dict[str, ShadowTable], Field(validate_default=True)] = {}
    counts: dict[str, dict[str, int]] = {}
    facts: list[dict[str, object]] = []
    decided: int = 0
    decisions: list[dict[str, object]] = []
    not_recorded: list[dict[str, object]] = []
    index: dict[str, object] = {}
    searches: Annotated[list[ShadowSearch], Field(validate_default=True)] = []
    answers: Annotated[list[ShadowAnswer], Field(validate_default=True)] = []
    gone: int = 0


class ShadowView(BaseModel):
    """
    A shadow: `asked` until it is `done`, or `failed`, for the reason that `code` and `message` say.

    A shadow that is done has these where what is found in it cannot be looked up now, or would be compared with
    something else than what served when it was asked for (`shadow_outdated`). `runs_ended` of its `runs` are over; then
    what they made is compared. `not_promotable` says why one that is done cannot take the place of what serves, as
    things are now; null where it can, where it did, and in the list.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    shadow_id: str
    analysis_id: str
    repository_id: str
    stage: str
    state: str
    asked_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    promoted_at: AwareDatetime | None = None
    code: str | None = None
    message: str | None = None
    report: ShadowReport
    runs: int = 0
    runs_ended: int = 0
    not_promotable: str | None = None


class SharePage(BaseModel):
    """
    A page of sharing links, the newest first.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[ShareView]
    next: str | None = None


class SymbolPage(BaseModel):
    """
    A page of definitions; `total` counts them over all pages.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[SymbolView]
    total: int
    next: str | None = None


class TeamUsagePage(BaseModel):
    """
    A page of teams. Days and months of the quotas are those of UTC, at `at`.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    at: AwareDatetime
    items: list[TeamUsageView]
    next: str | None = None


class TenantPage(BaseModel):
    """
    Your tenants; there is never more than one page of them.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[TenantView]
    next: str | None = None


class Treemap(BaseModel):
    """
    What is right below a folder, the largest first; at most 500 of `total`.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    folder: str
    items: list[TreemapItem]
    total: int


class UploadPage(BaseModel):
    """
    A page of uploads, the newest first.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[UploadView]
    next: str | None = None


class WebhookPage(BaseModel):
    """
    All webhooks of a tenant.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[WebhookView]
    next: str | None = None


class AnalysisPage(BaseModel):
    """
    A page of analyses; `next` is the cursor of the following page, null on the last one. All lists are so.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[AnalysisSummary]
    next: str | None = None


class ConversationView(BaseModel):
    """
    A conversation with its questions, oldest first.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    conversation_id: str
    repository_id: str
    title: str
    started_at: AwareDatetime
    version: Annotated[
        int,
        Field(description="Of its newest event: `GET /api/v1/events/live` goes on after it."),
    ] = 0
    questions: Annotated[list[QuestionView], Field(validate_default=True)] = []


class QuestionCompared(BaseModel):
    """
    A question that was answered at both: as it was meant, and both answers.

    Of each answer `passages` are those that it cites; it has no `steps` and no `plan`.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    query: str
    before: QuestionView
    after: QuestionView


class RebuildView(BaseModel):
    """
    A rebuild: `asked` until it is `done`, or `failed`, which `message` explains. `agrees` once it is done.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    rebuild_id: str
    state: str
    replace: bool
    asked_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    message: str | None = None
    agrees: bool | None = None
    projections: list[RebuiltProjection]


class RepositoryPage(BaseModel):
    """
    A page of repositories.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[RepositoryView]
    next: str | None = None


class SameQuestions(BaseModel):
    """
    A page of questions that both have an answer to, the newest first; `total` counts them over all pages.

    They are looked for in the newest 200 conversations in which one of the two was asked; `left_out` counts the others.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[QuestionCompared]
    total: int
    next: str | None = None
    left_out: int = 0


class ShadowPage(BaseModel):
    """
    A page of shadows, without their examples.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
    )
    items: list[ShadowView]
    next: str | None = None
