"""Private fields are sealed in the log and in the transport, and gone for good once one of their keys is destroyed."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import ERASED, Context, Draft, Envelope, Event
from events.catalog import WORKFLOW, decode
from events.delivery.work import Result
from events.log.keyring import KEPT, Keyring, KeysUnavailable, erase_subject
from events.log.postgres import PostgresJournal, append_in
from events.log.sequencer import sequence
from events.processing import CancelRequested, ProcessingRequested
from events.question import Passage, QuestionAnswered, QuestionAsked
from runtime.database import SEALER, create_engine
from runtime.sealing import Sealer, fresh_key
from runtime.settings import DatabaseSettings
from runtime.tenancy import DatabaseRole, TenantDatabase
from tests.support.delivery import a_kernel, until
from tests.support.journal_behaviour import JournalBehaviour
from tests.support.kernel import AT

CANARY = "canary-7f3a"
CONSUMER = "orchestrator.workflow"


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", fresh_key())


def an_engine(database_url: str) -> AsyncEngine:
    return create_engine(DatabaseSettings(url=SecretStr(database_url)), application="test")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = an_engine(database_url)
    yield engine
    await engine.dispose()


class TestSealedJournal(JournalBehaviour):
    @pytest.fixture
    def journal(self, engine: AsyncEngine) -> PostgresJournal:
        self.engine = engine
        return PostgresJournal(engine)

    async def settle(self) -> None:
        while await sequence(self.engine):
            pass


WHO = Context(tenant_id=uuid4(), repository_id=uuid4(), user_id=uuid4(), correlation_id=uuid4())


def asked(context: Context = WHO) -> Draft:
    event = QuestionAsked(question_id=uuid4(), repository_id=uuid4(), query=f"Why {CANARY}?", history=((CANARY, "a"),))
    return Draft(event_id=uuid4(), occurred_at=AT, context=context, event=event)


def begun(context: Context = WHO) -> Draft:
    event = ProcessingRequested(analysis_id=uuid4(), url=f"https://example.org/{CANARY}", ref=CANARY)
    return Draft(event_id=uuid4(), occurred_at=AT, context=context, event=event)


async def stored(engine: AsyncEngine) -> str:
    async with engine.connect() as connection:
        return "\n".join((await connection.execute(text("SELECT data::text FROM es.events"))).scalars())


async def erase(engine: AsyncEngine, kind: str, id_: UUID | None) -> None:
    async with engine.begin() as connection:
        await erase_subject(connection, kind, id_)


async def read_anew(database_url: str, stream: str) -> list[Envelope]:
    """As a process reads that knows no key yet."""
    engine = an_engine(database_url)
    try:
        return await PostgresJournal(engine).read_stream(stream)
    finally:
        await engine.dispose()


async def test_the_database_holds_no_private_text_and_every_reader_gets_it(
    engine: AsyncEngine, database_url: str
) -> None:
    draft = asked()
    await PostgresJournal(engine).append("conversation/a", [draft, begun()])

    assert CANARY not in await stored(engine)
    [question, request] = await read_anew(database_url, "conversation/a")
    assert decode(question) == draft.event
    assert request.data["ref"] == CANARY
    assert question.erased == ()


@pytest.mark.parametrize("kind", ["tenant", "repository", "user"])
async def test_any_one_destroyed_key_makes_a_question_unreadable_and_it_can_still_be_decoded(
    engine: AsyncEngine, database_url: str, kind: str
) -> None:
    await PostgresJournal(engine).append("conversation/a", [asked()])

    await erase(engine, kind, getattr(WHO, f"{kind}_id"))
    await erase(engine, kind, getattr(WHO, f"{kind}_id"))

    [question] = await read_anew(database_url, "conversation/a")
    event = decode(question)
    assert isinstance(event, QuestionAsked)
    assert (event.query, event.history, question.erased) == (ERASED, (), ("history", "query"))


async def test_what_a_team_had_analysed_outlives_the_member_who_asked_for_it(
    engine: AsyncEngine, database_url: str
) -> None:
    await PostgresJournal(engine).append("analysis/a", [begun()])

    await erase(engine, "user", WHO.user_id)

    [request] = await read_anew(database_url, "analysis/a")
    assert request.data["url"] == f"https://example.org/{CANARY}"


async def test_others_keys_are_untouched(engine: AsyncEngine, database_url: str) -> None:
    other = WHO.model_copy(update={"repository_id": uuid4()})
    await PostgresJournal(engine).append("conversation/a", [asked(), asked(other)])

    await erase(engine, "repository", WHO.repository_id)

    assert [bool(found.erased) for found in await read_anew(database_url, "conversation/a")] == [True, False]


async def test_what_is_appended_after_the_end_of_a_key_is_never_written(engine: AsyncEngine, database_url: str) -> None:
    await erase(engine, "repository", WHO.repository_id)

    await PostgresJournal(engine).append("conversation/a", [asked()])

    assert CANARY not in await stored(engine)
    [question] = await read_anew(database_url, "conversation/a")
    assert question.data["query"] == ERASED


async def test_a_key_that_was_rolled_back_with_its_events_is_not_used_again(
    engine: AsyncEngine, database_url: str
) -> None:
    async with engine.connect() as connection:
        await append_in(connection, "conversation/lost", [asked()])
        await append_in(connection, "conversation/lost", [asked()])
        await connection.rollback()

    await PostgresJournal(engine).append("conversation/a", [asked()])

    [question] = await read_anew(database_url, "conversation/a")
    assert CANARY in str(question.data["query"])


async def test_writers_of_one_new_repository_agree_on_its_keys(engine: AsyncEngine, database_url: str) -> None:
    journal = PostgresJournal(engine)

    await asyncio.gather(*(journal.append(f"conversation/{n}", [asked(), begun()]) for n in range(12)))

    for number in range(12):
        assert all(CANARY in str(found.data) for found in await read_anew(database_url, f"conversation/{number}"))


async def test_events_of_before_are_read_as_they_are_and_erased_with_their_subject(
    engine: AsyncEngine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPOSTREAM_SECRET_KEY")
    plain = an_engine(database_url)
    await PostgresJournal(plain).append("conversation/a", [asked(), begun()])
    assert CANARY in await stored(plain)
    assert all(CANARY in str(found.data) for found in await PostgresJournal(engine).read_stream("conversation/a"))

    await erase(engine, "repository", WHO.repository_id)

    assert CANARY not in await stored(plain)
    assert [found.erased != () for found in await PostgresJournal(plain).read_stream("conversation/a")] == [True, True]
    await plain.dispose()


async def test_a_process_without_the_secret_key_says_so(
    engine: AsyncEngine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await PostgresJournal(engine).append("conversation/a", [asked()])
    monkeypatch.delenv("REPOSTREAM_SECRET_KEY")

    with pytest.raises(KeysUnavailable, match="REPOSTREAM_SECRET_KEY"):
        await read_anew(database_url, "conversation/a")


async def test_a_sealed_text_that_was_moved_to_another_event_does_not_open(
    engine: AsyncEngine, database_url: str
) -> None:
    from cryptography.exceptions import InvalidTag

    await PostgresJournal(engine).append("conversation/a", [asked(), asked()])
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE es.events SET data = (SELECT data FROM es.events WHERE version = 1)"))

    with pytest.raises(InvalidTag):
        await read_anew(database_url, "conversation/a")


async def test_a_destroyed_key_is_forgotten_by_a_process_that_knew_it(engine: AsyncEngine) -> None:
    assert KEPT <= 30 - 5
    sealer = engine.sync_engine.get_execution_options()[SEALER]
    assert isinstance(sealer, Sealer)
    ring = Keyring(sealer, kept=0.3)
    [sealed] = await _raw(engine, asked())
    async with engine.connect() as connection:
        [readable] = await ring.open(connection, [sealed])
        assert readable.erased == ()
    await erase(engine, "user", WHO.user_id)
    known = ring.open_known([sealed])
    assert known is not None, "it is believed for a moment"
    assert known[0].erased == ()

    await until(lambda: not ring._known, patience=5)  # without being asked
    async with engine.connect() as connection:
        [gone] = await ring.open(connection, [sealed])
    assert gone.data["query"] == ERASED


async def _raw(engine: AsyncEngine, draft: Draft) -> list[Envelope]:
    """The envelope as the relay would carry it."""
    await PostgresJournal(engine).append("conversation/raw", [draft])
    await sequence(engine)
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT payload FROM es.behind(ARRAY['questions'], ARRAY[0::bigint], 10)"))
        return [Envelope.model_validate_json(row.payload) for row in rows]


async def test_the_transport_carries_no_private_text_and_the_handler_gets_it(database_url: str, redis_url: str) -> None:
    heard: list[Envelope] = []

    async def handle(envelope: Envelope, _connection: AsyncConnection) -> Result:
        heard.append(envelope)
        return Result()

    async with a_kernel(database_url, redis_url) as kernel:
        await kernel.carry()
        await kernel.journal.append("analysis/a", [begun()])
        await kernel.carry()
        entries = await kernel.redis.xrange(WORKFLOW, "-", "+")
        assert len(entries) == 1
        assert CANARY not in repr(entries)
        subscriber = kernel.subscriber()
        subscriber.short(WORKFLOW, CONSUMER, handle)
        await subscriber.start()
        await until(lambda: heard)

    assert heard[0].data["url"] == f"https://example.org/{CANARY}"


async def test_an_erased_message_still_comes_to_its_handler(database_url: str, redis_url: str) -> None:
    heard: list[Event] = []

    async def handle(envelope: Envelope, _connection: AsyncConnection) -> Result:
        heard.append(decode(envelope))
        return Result()

    async with a_kernel(database_url, redis_url) as kernel:
        await kernel.carry()
        await kernel.journal.append("analysis/a", [begun()])
        async with kernel.engine.begin() as connection:
            await erase_subject(connection, "repository", WHO.repository_id)
        await kernel.carry()
        other = an_engine(database_url)  # a worker that has not known the key
        subscriber = kernel.subscriber()
        subscriber._engine = other
        subscriber.short(WORKFLOW, CONSUMER, handle)
        await subscriber.start()
        await until(lambda: heard)
        await kernel.stop()
        await other.dispose()

    assert isinstance(heard[0], ProcessingRequested)
    assert heard[0].url == ERASED


async def test_empty_private_fields_cost_no_key(engine: AsyncEngine) -> None:
    event = CancelRequested()
    await PostgresJournal(engine).append(
        "analysis/a", [Draft(event_id=uuid4(), occurred_at=AT, context=WHO, event=event)]
    )

    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM es.payload_keys"))).scalar_one() == 0


async def test_an_answer_loses_its_passages_with_its_repository(engine: AsyncEngine, database_url: str) -> None:
    passage = Passage(chunk_id="c", path=CANARY, first_line=1, last_line=2, text=CANARY)
    answer = QuestionAnswered(
        question_id=uuid4(),
        query=CANARY,
        answer=CANARY,
        mode="extractive",
        response_time=1,
        rag_hits=1,
        confidence=0.5,
        citations=(),
        removed_citations=0,
        passages=(passage,),
        analysis_id=uuid4(),
        commit=CANARY,
        generation_kind="quick",
        provider="none",
        model="none",
        prompt="extractive-v1",
    )
    draft = Draft(event_id=uuid4(), occurred_at=AT, context=WHO, event=answer)
    [appended] = await PostgresJournal(engine).append("conversation/a", [draft])
    [read] = await read_anew(database_url, "conversation/a")
    assert read.data == appended.data
    assert decode(read) == answer

    await erase(engine, "repository", WHO.repository_id)

    [left] = await read_anew(database_url, "conversation/a")
    assert CANARY not in left.model_dump_json()
    gone = decode(left)
    assert isinstance(gone, QuestionAnswered)
    assert (gone.answer, gone.passages, gone.rag_hits) == (ERASED, (), 1)


async def test_each_service_seals_and_opens_in_its_own_role(database_url: str) -> None:
    settings = DatabaseSettings(url=SecretStr(database_url))
    requests = create_engine(settings, application="test", role=DatabaseRole.REQUESTS)
    worker = create_engine(settings, application="test", role=DatabaseRole.PROCESSOR)
    background = create_engine(settings, application="test", role=DatabaseRole.BACKGROUND)
    async with TenantDatabase(requests).of(WHO.tenant_id) as connection:
        await append_in(connection, "analysis/a", [begun()])

    [read] = await PostgresJournal(worker).read_stream("analysis/a")

    assert read.data["ref"] == CANARY
    await erase(background, "repository", WHO.repository_id)
    [left] = await read_anew(database_url, "analysis/a")
    assert left.data["ref"] == ERASED
    for engine in (requests, worker, background):
        await engine.dispose()
