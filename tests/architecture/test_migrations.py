"""The database's revisions are one chain: two that came at once took two numbers."""

from pathlib import Path

from alembic.script import ScriptDirectory

FOLDER = Path(__file__).parents[2] / "migrations"


def test_the_revisions_are_one_chain_in_the_order_of_their_names() -> None:
    revisions = [script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions()]

    assert revisions[::-1] == sorted(path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py"))
    assert len(revisions) == len(set(revisions)) > 20


def test_the_packages_docstring_names_every_revision() -> None:
    import migrations

    missing = [
        path.name for path in (FOLDER / "versions").glob("[0-9]*.py") if path.name[:4] not in str(migrations.__doc__)
    ]
    assert missing == []
