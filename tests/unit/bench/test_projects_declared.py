"""What the bench reads out of manifests by itself, to hold it beside the product."""

from pathlib import Path

from bench.projects import declared
from bench.projects.compared import Row


def test_a_compiled_list_has_direct_and_transitive_lines(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "# pins\namqp==5.1 \\\n    --hash=sha256:00\n    # via kombu\nflask==3\n    # via -r all.in\nplain>=1  # why\n"
    )

    assert list(declared.requirements(tmp_path, "requirements.txt")) == [
        ("requirements.txt", "amqp", "transitive"),
        ("requirements.txt", "flask", "runtime"),
        ("requirements.txt", "plain", "runtime"),
    ]


def test_a_pom_has_dependencies_plugins_and_what_it_manages(tmp_path: Path) -> None:
    one = "<groupId>g</groupId><artifactId>{}</artifactId>"
    (tmp_path / "pom.xml").write_text(
        f'<project xmlns="http://maven.apache.org/POM/4.0.0"><parent>{one.format("p")}</parent><dependencies>'
        f"<dependency>{one.format('a')}</dependency><dependency>{one.format('t')}<scope>test</scope></dependency>"
        f"</dependencies><build><plugins><plugin><artifactId>jar</artifactId></plugin></plugins></build></project>"
    )

    assert list(declared.maven(tmp_path, "pom.xml")) == [
        ("pom.xml", "g:p", "build"),
        ("pom.xml", "org.apache.maven.plugins:jar", "build"),
        ("pom.xml", "g:a", "runtime"),
        ("pom.xml", "g:t", "test"),
    ]


def test_a_row_is_the_same_only_where_both_have_all_of_it() -> None:
    assert Row("files", 2, 2, 2, "git").is_same
    assert not Row("files", 2, 2, 1, "git").is_same
