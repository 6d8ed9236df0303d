import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_manager.stages.catalogue import Catalogue, ChunkPlace, make_catalogue
from rag_manager.stages.fuse_rankings import fuse_rankings
from rag_manager.stages.match_names import match_names, match_paths
from rag_manager.stages.noise import noise_of
from rag_manager.stages.pick_passages import QUOTAS, pick_passages
from rag_manager.stages.rank import Rankings, rank
from rag_manager.stages.rank_files import FileWeights, rank_files
from rag_manager.stages.read_question import read_question
from rag_manager.stages.superseded import superseded_files

PLACES = [
    ("src/router.py", "code", 1, 20),
    ("src/router.py", "code", 21, 60),
    ("src/router.py", "code", 61, 80),
    ("src/cookies.py", "code", 1, 30),
    ("src/helpers.py", "code", 1, 30),
    ("tests/test_router.py", "test", 1, 50),
    ("docs/routing.md", "docs", 1, 9),
]
SYMBOLS = [
    ("Router", "class", "src/router.py", 21, 21),
    ("Router", "class", "tests/test_router.py", 3, 3),
    ("sign_cookie", "function", "src/cookies.py", 4, 4),
    ("__call__", "function", "src/helpers.py", 2, 2),
]


@pytest.fixture
def catalogue() -> Catalogue:
    return make_catalogue([ChunkPlace(f"c{n}", *place) for n, place in enumerate(PLACES)], SYMBOLS)


def paths(ranked: list[tuple[int, float]], catalogue: Catalogue) -> list[str]:
    return [catalogue.paths[file] for file, _ in ranked]


def test_a_catalogue_numbers_chunks_and_files_and_knows_which_chunk_holds_a_line(catalogue: Catalogue) -> None:
    assert catalogue.ordinals["c3"] == 3
    assert catalogue.chunks_of[0] == [0, 1, 2]
    assert catalogue.chunk_at(0, 60) == 1
    assert catalogue.chunk_at(0, 81) is None
    assert catalogue.stems[3] == frozenset({"test", "router", "test_router"})
    assert "call" in catalogue.definitions


def test_first_in_every_ranking_scores_one_and_weights_count() -> None:
    scores = fuse_rankings([(1.0, ["a", "b"]), (0.5, ["a", "c"])])

    assert scores["a"] == pytest.approx(1.0)
    assert scores["b"] > scores["c"]
    assert fuse_rankings([]) == {}


@given(st.lists(st.permutations(range(6)), min_size=1, max_size=3))
def test_what_is_better_in_every_ranking_is_better_in_the_fused_one(rankings: list[list[int]]) -> None:
    scores = fuse_rankings([(1.0, ranking) for ranking in rankings])

    for one in range(6):
        for other in range(6):
            if all(ranking.index(one) < ranking.index(other) for ranking in rankings):
                assert scores[one] > scores[other]


def test_a_question_gives_names_paths_and_what_is_asked_for() -> None:
    question = read_question("Where does the TypeAdapter in src/gson/Gson.java read_value in tests?")

    assert question.names == ("typeadapter", "read_value")
    assert "src/gson/gson.java" in question.paths
    assert question.asked == frozenset({"test"})
    assert question.lone_name is None
    assert "typetoken" in read_question("generic type token for types").joined


@pytest.mark.parametrize(
    ("text", "name"),
    [("TypeAdapter", "typeadapter"), ("`Gson.fromJson()`", "fromjson"), ("fmt::format", "format"), ("two words", None)],
)
def test_a_question_that_is_one_name_is_known_as_such(text: str, name: str | None) -> None:
    assert read_question(text).lone_name == name


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/test/java/A.java", "test"),
        ("pkg/router_test.go", "test"),
        ("src/FooTest.java", "test"),
        ("src/latest.java", None),
        ("examples/app.py", "example"),
        ("test-utils/src/index.js", "test"),
        ("src/testutil/files.go", "test"),
        ("src/latest/utils.js", None),
        ("README.md", "docs"),
        ("docs/conf.py", "docs"),
        ("doc/_themes/search.js", "docs"),
        ("doc/man_docs.go", None),
        ("src/main/java/org/shop/site/Basket.java", None),
        ("site/content/start.html", "docs"),
        ("lib/_compat.py", "compat"),
        ("src/app.py", None),
    ],
)
def test_noise_is_told_by_the_path(path: str, kind: str | None) -> None:
    assert noise_of(path, "code") == kind


def test_noise_is_told_by_the_class_of_the_file() -> None:
    assert noise_of("src/thing.py", "test") == "test"
    assert noise_of("src/thing.py", "vendored") == "compat"
    assert noise_of("crates/core/doc/template.rg.1", "other") == "docs"
    assert noise_of("crates/core/doc/template.rs", "code") is None


def test_a_file_with_several_good_chunks_beats_one_with_a_single_one(catalogue: Catalogue) -> None:
    ranked = rank_files({0: 0.5, 1: 0.5, 2: 0.5, 4: 0.6}, read_question("anything"), catalogue)

    assert paths(ranked, catalogue)[0] == "src/router.py"


def test_a_file_named_like_the_question_is_raised(catalogue: Catalogue) -> None:
    ranked = rank_files({3: 0.5, 4: 0.6}, read_question("how do cookies work"), catalogue)

    assert paths(ranked, catalogue)[0] == "src/cookies.py"


def test_a_file_that_defines_a_queried_name_is_raised(catalogue: Catalogue) -> None:
    weights = FileWeights(stem=0.0, defines=2.0)
    ranked = rank_files({3: 0.5, 4: 0.6}, read_question("what calls sign_cookie"), catalogue, weights)

    assert paths(ranked, catalogue)[0] == "src/cookies.py"


def test_tests_and_documents_are_lowered_unless_asked_for(catalogue: Catalogue) -> None:
    scores = {3: 0.5, 5: 0.8, 6: 0.8}

    assert paths(rank_files(scores, read_question("secure values"), catalogue), catalogue)[0] == "src/cookies.py"
    assert paths(rank_files(scores, read_question("router tests"), catalogue), catalogue)[0] == "tests/test_router.py"
    asked = rank_files(scores, read_question("the documentation on routing"), catalogue)
    assert paths(asked, catalogue)[0] == "docs/routing.md"


def test_a_named_definition_is_found_in_the_code_before_the_tests(catalogue: Catalogue) -> None:
    assert match_names(read_question("Router"), catalogue) == [1, 5]
    assert match_names(read_question("how is sign_cookie used"), catalogue) == [3]
    assert match_names(read_question("__call__"), catalogue) == [4]


def test_a_path_in_the_question_matches_the_end_of_a_path(catalogue: Catalogue) -> None:
    assert match_paths(read_question("what is in router.py"), catalogue) == [0]
    assert match_paths(read_question("what is in src/cookies.py"), catalogue) == [1]
    assert match_paths(read_question("nothing"), catalogue) == []


def test_a_report_names_the_files_that_one_working_file_alone_can_be(catalogue: Catalogue) -> None:
    pasted = "Cookies are lost\n\nSee tests/test_router.py and router.py.\n"
    twice = make_catalogue([ChunkPlace(f"c{n}", f"{n}/router.py", "code", 1, 9) for n in range(2)], [])

    assert match_paths(read_question(pasted), catalogue) == [0]
    assert match_paths(read_question("Look at router.py\nplease"), twice) == []
    assert match_paths(read_question("Look at router.py please"), twice) == [0, 1]
    assert match_paths(read_question("The test in tests/test_router.py fails\n\nSometimes."), catalogue) == [3]


def test_only_the_first_line_of_a_report_asks_for_tests_and_the_like() -> None:
    report = "\n  Cookies are lost  \n\nIn this example, with version v2, tests fail:\n"

    assert read_question(report).report
    assert read_question(report).asked == frozenset()
    assert read_question("Tests are lost\nSee the example").asked == frozenset({"test"})
    assert read_question("Cookies are lost in this example\n").asked == frozenset({"example"})
    assert not read_question("Cookies are lost in this example\n").report
    assert read_question("\n").asked == frozenset()


def test_tests_stand_farther_back_for_a_report() -> None:
    places = [ChunkPlace("c0", "tests/test_a.py", "test", 1, 9), ChunkPlace("c1", "src/b.py", "code", 1, 9)]
    catalogue, scores = make_catalogue(places, []), {0: 1.0, 1: 0.2}

    [first, *_] = rank_files(scores, read_question("cookies are lost"), catalogue)
    [reported, *_] = rank_files(scores, read_question("cookies are lost\n\nwhen signed"), catalogue)
    [asked, *_] = rank_files(scores, read_question("tests are lost\n\nwhen signed"), catalogue)

    assert (first[0], reported[0], asked[0]) == (0, 1, 0)


def test_passages_follow_the_files_and_inside_a_file_the_fused_score(catalogue: Catalogue) -> None:
    scores = {0: 0.1, 1: 0.3, 2: 0.2, 3: 0.9}

    picked = pick_passages([(0, 2.0), (1, 1.0)], scores, catalogue, limit=4)

    assert picked == [(1, 2.0), (2, 2.0), (0, 2.0), (3, 1.0)]


def test_no_file_takes_more_than_its_share_while_others_wait(catalogue: Catalogue) -> None:
    scores = dict.fromkeys(range(7), 0.5)

    picked = pick_passages([(0, 3.0), (1, 2.0), (2, 1.0)], scores, catalogue, limit=4)

    assert [catalogue.files[chunk] for chunk, _ in picked] == [0] * QUOTAS[0] + [1]


@given(st.integers(1, 8), st.lists(st.sampled_from(range(7)), unique=True, max_size=7))
def test_a_ranking_never_exceeds_its_limit_nor_repeats_itself(limit: int, lexical: list[int]) -> None:
    places = make_catalogue([ChunkPlace(f"c{n}", *place) for n, place in enumerate(PLACES)], SYMBOLS)

    picked = rank(read_question("router cookies"), Rankings(lexical), places, limit=limit).passages

    assert len(picked) == min(limit, len(lexical))
    assert len({item.chunk for item in picked}) == len(picked)


def test_a_name_alone_brings_its_definition_first_whatever_the_retrievers_say(catalogue: Catalogue) -> None:
    picked = rank(read_question("Router"), Rankings([4, 3, 5], [3, 4], 1.0), catalogue, limit=5).passages

    assert picked[0].chunk == 1
    assert picked[0].ranks == {"names": 1}


def test_a_path_brings_its_file_first_even_where_no_retriever_found_it(catalogue: Catalogue) -> None:
    picked = rank(read_question("explain src/cookies.py"), Rankings([4]), catalogue, limit=5).passages

    assert catalogue.paths[catalogue.files[picked[0].chunk]] == "src/cookies.py"


def test_each_passage_tells_which_retriever_put_it_where(catalogue: Catalogue) -> None:
    picked = rank(read_question("something"), Rankings([3, 4], [4, 3], 1.0), catalogue, limit=2).passages

    assert {item.chunk: item.ranks for item in picked} == {
        3: {"lexical": 1, "dense": 2},
        4: {"lexical": 2, "dense": 1},
    }


def test_an_older_version_beside_a_newer_one_is_superseded() -> None:
    paths = ["src/v3/types.ts", "src/v4/core/types.ts", "src/index.ts"]

    assert superseded_files(paths) == {0}


def test_a_version_folder_that_mirrors_its_parent_is_its_past() -> None:
    names = ("fields.py", "main.py", "types.py", "__init__.py")
    paths = [*(f"lib/{name}" for name in names), *(f"lib/v1/{name}" for name in names)]

    assert superseded_files(paths) == {4, 5, 6, 7}


def test_the_only_version_of_an_interface_is_not_superseded() -> None:
    assert superseded_files(["api/v1/pods.go", "api/v1/doc.go", "api/register.go"]) == frozenset()


def test_superseded_files_are_lowered_unless_their_version_is_asked_for() -> None:
    places = make_catalogue(
        [ChunkPlace("old", "src/v3/errors.ts", "code", 1, 9), ChunkPlace("new", "src/v4/errors.ts", "code", 1, 9)], []
    )
    scores = {0: 0.6, 1: 0.5}

    assert paths(rank_files(scores, read_question("how are errors made"), places), places)[0] == "src/v4/errors.ts"
    assert paths(rank_files(scores, read_question("how are v3 errors made"), places), places)[0] == "src/v3/errors.ts"


def test_a_file_of_the_same_family_of_words_as_the_question_is_raised() -> None:
    places = make_catalogue(
        [ChunkPlace("a", "src/executor.py", "code", 1, 9), ChunkPlace("b", "src/autodetector.py", "code", 1, 9)], []
    )

    ranked = rank_files({0: 0.55, 1: 0.5}, read_question("where are changes autodetected"), places)

    assert paths(ranked, places)[0] == "src/autodetector.py"


def test_the_definition_of_a_name_alone_is_the_first_passage_of_its_file(catalogue: Catalogue) -> None:
    picked = rank(read_question("Router"), Rankings([0, 2, 1]), catalogue, limit=3).passages

    assert [item.chunk for item in picked] == [1, 0, 2]


def test_the_plan_has_the_retrievers_that_were_asked_and_what_each_found(catalogue: Catalogue) -> None:
    ranked = rank(read_question("the sign_cookie of src/helpers.py"), Rankings([4, 3]), catalogue, limit=5)

    steps = [(step.retriever, step.found, step.weight, step.about) for step in ranked.plan]
    assert steps == [
        ("lexical", 2, 1.0, ""),
        ("names", 1, 0.5, "sign_cookie"),
        ("path", 1, 0.0, "src/helpers.py"),
    ]
    assert [(item.chunk, item.ranks) for item in ranked.passages] == [
        (4, {"lexical": 1, "path": 1}),
        (3, {"lexical": 2, "names": 1}),
    ]


def test_vectors_are_in_the_plan_where_they_were_asked(catalogue: Catalogue) -> None:
    ranked = rank(read_question("something else"), Rankings([3], [4, 3], 0.7), catalogue, limit=5)

    assert [(step.retriever, step.found, step.weight) for step in ranked.plan] == [
        ("lexical", 1, 1.0),
        ("dense", 2, 0.7),
    ]
