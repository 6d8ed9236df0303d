"""Which ref and folder a request means, of what its address and its fields say."""

from uuid import uuid4

import pytest

from events.base import LOCAL_TENANT
from orchestrator.adapters.intake import repository_id_of
from orchestrator.api.intake import Rules, read_folder, read_request
from orchestrator.api.models import AnalysisRequest
from orchestrator.projections.analyses import name_of
from runtime.faults import Permanent

RULES = Rules(frozenset({"github.com"}), loopback=False)
FLASK = "https://github.com/pallets/flask"
SHA = "36e4a824f340fdee7ed50937ba8e7f6bc7d17f81"


@pytest.mark.parametrize(
    ("request_", "ref", "folder"),
    [
        (AnalysisRequest(url=FLASK), None, ""),
        (AnalysisRequest(url=FLASK, folder="/src/flask/"), None, "src/flask"),
        (AnalysisRequest(url=FLASK, folder="./src"), None, "src"),
        (AnalysisRequest(url=FLASK, folder=" . "), None, ""),
        (AnalysisRequest(url=f"{FLASK}/tree/main"), "main", ""),
        (AnalysisRequest(url=f"{FLASK}/tree/main", folder="src"), "main", "src"),
        (AnalysisRequest(url=f"{FLASK}/tree/main/src", ref="main"), "main", "src"),
        (AnalysisRequest(url=f"{FLASK}/tree/fix/a/src", ref="fix/a"), "fix/a", "src"),
        (AnalysisRequest(url=f"{FLASK}/tree/fix/a", ref="fix/a", folder="src"), "fix/a", "src"),
        (AnalysisRequest(url=f"{FLASK}/tree/main/src", ref="main", folder="src/"), "main", "src"),
        (AnalysisRequest(url=f"{FLASK}/blob/main/src/a.py", ref="main"), "main", ""),
        (AnalysisRequest(url=f"{FLASK}/tree/{SHA.upper()}/src"), SHA, "src"),
        (AnalysisRequest(url=f"{FLASK}/commit/{SHA}"), SHA, ""),
        (AnalysisRequest(url=FLASK, ref=SHA.upper()), SHA, ""),
    ],
)
def test_the_address_and_the_fields_say_it_together(request_: AnalysisRequest, ref: str | None, folder: str) -> None:
    wanted = read_request(request_, RULES)

    assert (wanted.repository.url, wanted.ref, wanted.folder) == (FLASK, ref, folder)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (AnalysisRequest(url=f"{FLASK}/tree/main", ref="dev"), "bad_ref"),
        (AnalysisRequest(url=f"{FLASK}/tree/main2/src", ref="main"), "bad_ref"),
        (AnalysisRequest(url=f"{FLASK}/tree/a..b"), "bad_ref"),
        (AnalysisRequest(url=f"{FLASK}/tree/-x"), "bad_ref"),
        (AnalysisRequest(url=f"{FLASK}/tree/main/src", ref="main", folder="docs"), "bad_folder"),
        (AnalysisRequest(url=FLASK, folder="../etc"), "bad_folder"),
        (AnalysisRequest(url=FLASK, folder="a/.git"), "bad_folder"),
        (AnalysisRequest(url=FLASK, folder="a\\b"), "bad_folder"),
        (AnalysisRequest(url=FLASK, folder="a\x00b"), "bad_folder"),
    ],
)
def test_what_contradicts_itself_or_is_no_folder_is_refused_by_name(request_: AnalysisRequest, code: str) -> None:
    with pytest.raises(Permanent) as refusal:
        read_request(request_, RULES)

    assert refusal.value.code == code


def test_a_folder_is_a_repository_of_its_own_and_the_whole_keeps_its_id() -> None:
    whole, part = repository_id_of(LOCAL_TENANT, FLASK), repository_id_of(LOCAL_TENANT, FLASK, folder="src")

    assert str(whole) == "44238771-8694-5424-9abc-ad97a5740956"
    assert len({whole, part, repository_id_of(LOCAL_TENANT, FLASK, folder="docs")}) == 3
    assert part != repository_id_of(LOCAL_TENANT, FLASK, 1, folder="src")
    assert (name_of(FLASK), name_of(FLASK, "src")) == ("pallets/flask", "pallets/flask:src")


def test_a_folder_is_read_without_the_slashes_around_it() -> None:
    assert [read_folder(raw) for raw in (None, "", "/", "a", "/a/b/")] == ["", "", "", "a", "a/b"]


def test_more_history_than_may_be_read_is_refused_by_name() -> None:
    rules = Rules(frozenset({"github.com"}), loopback=False, history=100)
    asked = AnalysisRequest(url="https://github.com/a/b", history=100)
    assert read_request(asked, rules).history == 100

    with pytest.raises(Permanent) as caught:
        read_request(asked.model_copy(update={"history": 101}), rules)
    assert caught.value.code == "history_too_deep"
    assert "100" in caught.value.message


def test_what_renews_an_analysis_has_as_much_history_as_is_read_by_now() -> None:
    """It may come from another installation, or from before the limit was lowered: its page offers no other depth."""
    rules = Rules(frozenset({"github.com"}), loopback=False, history=100)
    asked = AnalysisRequest(url="https://github.com/a/b", history=500, after=uuid4())

    assert read_request(asked, rules).history == 100
    assert read_request(asked.model_copy(update={"history": 50}), rules).history == 50
