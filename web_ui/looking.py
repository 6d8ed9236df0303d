"""What a look at a repository's host came to, in words. Pure."""

from runtime.client.shapes import AnalysisRequest, PreflightView
from runtime.upload_url import HOST
from web_ui.words import count, short_commit, size, visible

# Where the host or the processor cannot be asked now, an analysis asks again by itself.
MAY_GO_ON = frozenset({"preflight_unavailable", "host_unreachable", "clone_timeout", "clone_failed", "rate_limited"})
_NAMED = 30


def preflight_facts(looked: PreflightView) -> list[str]:
    """The ref, the commit, the folder, and how many refs there are."""
    if looked.host == HOST:
        return ["upload", *([f"only {visible(looked.folder)}"] if looked.folder else [])]
    default = f"{looked.default_branch} (default branch)" if looked.default_branch else "default branch"
    facts = [visible(looked.ref) if looked.ref else visible(default)]
    if looked.commit:
        facts.append(f"commit {short_commit(looked.commit)}")
    if looked.folder:
        facts.append(f"only {visible(looked.folder)}")
    if looked.size:
        facts.append(f"{size(looked.size)} at the host, history included")
    return [*facts, count(looked.branch_count, "branch", "branches"), count(looked.tag_count, "tag"), looked.host]


def ref_names(looked: PreflightView) -> str:
    """The first branches and tags by name."""
    kinds = (("Branches", looked.branches, looked.branch_count), ("Tags", looked.tags, looked.tag_count))
    said = (
        f"{kind}: {', '.join(map(visible, names[:_NAMED]))}" + (" …" if whole > _NAMED else "")
        for kind, names, whole in kinds
        if names
    )
    return ". ".join(said)


def settled(wanted: AnalysisRequest, looked: PreflightView) -> AnalysisRequest:
    """The request as the host's refs settle it: nothing in its address is left to be read, and the commit is known."""
    known = {"url": looked.url, "ref": looked.ref, "folder": looked.folder or None, "commit": looked.commit}
    return wanted.model_copy(update=known)
