"""How fast the local models embed, beside the same sentence model in plain numpy: chunks a second, start, memory.

    python -m bench embedding [--models FOLDER] [--chunks N] [--rounds N] [--write FILE]

Chunks are 212 word pieces of the standard library's source. Each model has a process of its own; they take turns, so
that what else the machine does falls on all alike; medians over the rounds.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from runtime.settings import HomeSettings

PIECES = 212
QUESTIONS = 50
NUMPY_SHARE = 8  # the yardstick is slow: it embeds this fraction of the chunks
MODELS = ("numpy", "full", "quick")


def chunks_of(folder: Path, count: int) -> list[str]:
    """Return `count` pieces of the standard library's source, 212 word pieces each."""
    from rag_manager.models.files import TOKENIZER, open_tokenizer, shipped

    tokenizer = open_tokenizer(shipped(TOKENIZER), PIECES)
    chunks: list[str] = []
    for path in sorted(folder.glob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        while len(text) > 4 * PIECES and len(chunks) < count:
            encoding = tokenizer.encode(text[: 16 * PIECES], add_special_tokens=False)
            end = encoding.offsets[-1][1]
            if len(encoding.ids) == PIECES:
                chunks.append(text[:end])
            text = text[end:]
    return chunks


def measure(model: str, folder: Path, count: int) -> dict[str, float]:
    """Measure one model in this process: seconds to load, chunks a second, milliseconds a question, MB resident."""
    chunks = chunks_of(Path(sysconfig.get_path("stdlib")), count)
    before = psutil.Process().memory_info().rss
    began = time.perf_counter()
    embed = _load(model, folder)
    embed(["first"])
    loaded = time.perf_counter() - began
    asked = chunks[: count // NUMPY_SHARE] if model == "numpy" else chunks
    worked = time.process_time()
    spent = _seconds(lambda: embed(asked))
    worked = time.process_time() - worked
    question = _seconds(lambda: [embed([f"where is the delay of attempt {n} computed"]) for n in range(QUESTIONS)])
    return {
        "load": loaded,
        "rate": len(asked) / spent,
        "work": len(asked) / worked,
        "question": question / QUESTIONS * 1000,
        "memory": psutil.Process().memory_info().rss / 2**20,
        "added": (psutil.Process().memory_info().rss - before) / 2**20,
    }


def _load(model: str, folder: Path) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    if model == "quick":
        from rag_manager.adapters.static_table import load_quick

        return load_quick(folder).embed
    if model == "full":
        from rag_manager.adapters.onnx_model import load_full

        return load_full(folder).embed
    return _numpy_model()


def _numpy_model() -> Callable[[Sequence[str]], NDArray[np.float32]]:
    from rag_manager.models.files import TOKENIZER, open_tokenizer, shipped
    from rag_manager.models.forward import forward
    from rag_manager.models.weights import MAX_TOKENS, read_weights, weights_file

    tensors = read_weights(weights_file())
    tokenizer = open_tokenizer(shipped(TOKENIZER), MAX_TOKENS)
    return lambda texts: np.stack([forward(tensors, np.array(tokenizer.encode(text).ids)) for text in texts])


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _build_seconds(folder: Path) -> float:
    from rag_manager.models.build import build_full_model, ensure_models

    ensure_models(folder)
    target = folder / f".measured-{os.getpid()}.onnx"
    try:
        return _seconds(lambda: build_full_model(target))
    finally:
        target.unlink(missing_ok=True)


def _in_a_process(model: str, folder: Path, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench", "embedding", "--measure", model]
    command += ["--models", str(folder), "--chunks", str(count)]
    # On a busy machine numpy's own threads burn most of their time waiting for one another.
    environment = os.environ | ({"OPENBLAS_NUM_THREADS": "1"} if model == "numpy" else {})
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def report_of(rounds: dict[str, list[dict[str, float]]], built: float, count: int) -> str:
    medians = {
        model: {key: statistics.median(one[key] for one in found) for key in found[0]}
        for model, found in rounds.items()
    }
    ratios = {
        model: statistics.median(one["work"] / yard["work"] for one, yard in zip(found, rounds["numpy"], strict=True))
        for model, found in rounds.items()
    }
    taken = f"{count} chunks of {PIECES} word pieces, medians of {len(rounds['full'])} rounds taking turns"
    where = f"{len(os.sched_getaffinity(0))} cores ({platform.machine()})"
    load = f"load average at the end {os.getloadavg()[0]:.1f}"
    lines = ["# Embedding with the local models", ""]
    lines += [f"`python -m bench embedding`: {taken}; {where}, {load}."]
    lines += [f"Building the full model from its weights took {built:.1f} s.", ""]
    lines += [
        "| model | chunks a second | a CPU second | times numpy | load, ms | a question, ms | process, MB | model, MB |"
    ]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for model, found in medians.items():
        speed = f"{_short(found['rate'])} | {_short(found['work'])} | {ratios[model]:,.1f}"
        times = f"{found['load'] * 1000:.0f} | {found['question']:.2f}"
        lines += [f"| {model} | {speed} | {times} | {found['memory']:.0f} | {found['added']:.0f} |"]
    lines += [
        "",
        "`numpy` is the same sentence model in float32 on one thread, without a runtime: the yardstick, by CPU second,",
        "which other work on the machine disturbs least. Loading includes imports.",
    ]
    return "\n".join(lines) + "\n"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}"


def main() -> None:
    """Measure the models in turn and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench embedding")
    parser.add_argument("--models", type=Path, default=HomeSettings().home / "models")
    parser.add_argument("--chunks", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--measure", choices=MODELS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.models, options.chunks)))
        return
    built = _build_seconds(options.models)
    rounds: dict[str, list[dict[str, float]]] = {model: [] for model in MODELS}
    for _ in range(options.rounds):
        for model in MODELS:
            rounds[model].append(_in_a_process(model, options.models, options.chunks))
    report = report_of(rounds, built, options.chunks)
    print(report)
    if options.write:
        options.write.write_text(report, encoding="utf-8")
