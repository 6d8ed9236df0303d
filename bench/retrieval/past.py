"""What the commits before a revision say: through the history stage's own steps, and its words as a search has them."""

import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from bench.retrieval.repository_index import tree
from events.artifacts import TreeRow
from processor.languages.detect import file_class_of, language_of
from processor.stages.read_history import FORMAT, read_history
from processor.stages.summarise_history import summarise_history
from processor.stages.tell_commits import MOST_TOLD
from rag_manager.adapters.tantivy_lexicon import TantivyLexicon
from rag_manager.earlier_changes import Earlier, earlier_of


@lru_cache(maxsize=4)
def earlier_at(git_dir: Path, revision: str) -> Earlier:
    """The newest commits that led to `revision`, with it: nothing of a later one is known."""
    command = ["git", f"--git-dir={git_dir}", "log", f"--max-count={2 * MOST_TOLD}", "-z", "--raw", "--no-abbrev"]
    log = subprocess.run([*command, "-M100%", f"--format={FORMAT}", revision], capture_output=True, check=True).stdout
    rows = (_row(path) for path, _ in tree(git_dir, revision))
    told = summarise_history(read_history([log]), rows, 2 * MOST_TOLD).told
    lexicon = TantivyLexicon(Path(tempfile.gettempdir()))  # held in memory: nothing is written there
    return earlier_of([(row.commit, row.subject, row.message, row.paths) for row in told], lexicon)


def _row(path: str) -> TreeRow:
    language = language_of(path, "")
    return TreeRow(path=path, blob_id="", mode="100644", size=0, file_class=file_class_of(path, language, ""))
