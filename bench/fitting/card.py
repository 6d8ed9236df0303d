"""Write the model card that stands beside the table."""

from pathlib import Path

from bench.fitting.judge import Verdict
from bench.fitting.packages import listed
from bench.fitting.regression import STEPS
from bench.fitting.sample import HELD_OUT, Sample

CARD = Path(__file__).with_name("card.md")


def write_card(table: Path, digests: tuple[str, str], chosen: Sample, verdicts: dict[str, Verdict]) -> None:
    """Write `MODEL_CARD.md` beside the table; the digests are the table's and the tokenizer's."""
    rows = [f"| {name} | {v.mrr:.3f} | {v.found:.3f} | {v.cosine:.3f} |" for name, v in verdicts.items()]
    table.with_name("MODEL_CARD.md").write_text(
        CARD.read_text(encoding="utf-8").format(
            name=table.stem,
            digest=digests[0],
            tokenizer=digests[1],
            bytes=table.stat().st_size,
            texts=len(chosen.texts),
            queries=chosen.queries,
            steps=STEPS,
            questions=len(chosen.questions),
            chunks=len(chosen.chunks),
            held=", ".join(HELD_OUT),
            verdicts="\n".join(rows),
            packages="\n".join(_packages()),
        ),
        encoding="utf-8",
    )


def _packages() -> list[str]:
    lines = []
    for registry, packages in listed().items():
        names = [f"{package}{' +' if _is_held(package) else ''}" for package in packages]
        lines.append(f"* {registry}: {', '.join(names)}")
    return lines


def _is_held(package: str) -> bool:
    """Say whether a package as listed is one that the fit never saw."""
    return package.lstrip("@").replace("/", "-").startswith(HELD_OUT)
