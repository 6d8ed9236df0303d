"""A map of modules as Mermaid text. Names stand in quotes and can say nothing to whoever draws it."""

from orchestrator.overview.modules import Modules
from orchestrator.overview.wording import amount, flat

TOP = "(top folder)"
_MEANT = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;", "\\": "#92;", "&": "#amp;"}


def mermaid(found: Modules) -> str:
    """A flowchart of the modules and their edges; empty where there is nothing between modules."""
    if not found.edges:
        return ""
    names = {module.path: f"m{number}" for number, module in enumerate(found.modules)}
    lines = ["flowchart LR"]
    lines += [f'  {names[module.path]}["{_label(module.path)}"]' for module in found.modules]
    for edge in found.edges:
        counts = [amount(n, noun) for n, noun in ((edge.imports, "import"), (edge.calls, "call")) if n]
        lines.append(f'  {names[edge.source]} -->|"{", ".join(counts)}"| {names[edge.target]}')
    return "\n".join(lines)


def _label(path: str) -> str:
    return "".join(_MEANT.get(char, char) for char in flat(path)) or TOP
