"""Source rows for tests of the parse stage."""

from events.artifacts import SourceRow
from processor.languages.detect import file_class_of, language_of


def a_source(path: str, content: str) -> SourceRow:
    """One accepted text file, classed as the clone stage would."""
    language = language_of(path, content)
    return SourceRow(
        path=path,
        blob_id="0" * 40,
        language=language,
        file_class=file_class_of(path, language, content[:2_000]),
        size=len(content.encode()),
        lines=content.count("\n"),
        content=content,
    )
