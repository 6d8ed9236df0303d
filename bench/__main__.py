"""Run a benchmark by name: any module beside this one that has a `main`."""

import importlib
import pkgutil
import sys

import bench


def benchmarks() -> list[str]:
    """The names of the modules that have a `main`."""
    names = [module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_")]
    return [name for name in names if hasattr(importlib.import_module(f"bench.{name}"), "main")]


def run() -> int:
    """Run the benchmark that the command line names, or list them all."""
    if len(sys.argv) < 2 or sys.argv[1] not in benchmarks():
        print("python -m bench <name> [options]:", ", ".join(benchmarks()))
        return 0 if len(sys.argv) < 2 else 2
    name = sys.argv.pop(1)
    importlib.import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(run())
