"""Writes a stream of the benchmark's kind and its catalogue, for trying things by hand.

python -m tests.bench.make_stream EVENTS FILE [--services N] [--seed N]; the catalogue goes to FILE.catalogue.yaml.
"""

from __future__ import annotations

import argparse
import hashlib
from itertools import islice
from pathlib import Path

import yaml

from monitor.lab import generator
from monitor.lab.generator import StreamShape, catalogue_mapping, generate


def write_stream(shape: StreamShape, path: Path) -> Path:
    """Write the stream and, beside it, its catalogue, whose path is returned. Holds little of it at a time."""
    catalogue = path.with_name(path.name + ".catalogue.yaml")
    catalogue.write_text(yaml.safe_dump(catalogue_mapping(shape)), encoding="utf-8")
    lines = generate(shape)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        while block := list(islice(lines, 5_000)):
            file.write(b"\n".join(block) + b"\n")
    partial.replace(path)
    return catalogue


def stream_of(shape: StreamShape, directory: Path) -> tuple[Path, Path]:
    """A stream of this shape in the directory, made unless it is there: the same shape gives the same bytes."""
    maker = hashlib.sha256(Path(generator.__file__).read_bytes()).hexdigest()[:8]
    path = directory / f"{maker}-{shape.events}-{shape.services}-{shape.rate:g}-{shape.seed}.jsonl"
    catalogue = path.with_name(path.name + ".catalogue.yaml")
    if not path.exists() or not catalogue.exists():
        directory.mkdir(parents=True, exist_ok=True)
        write_stream(shape, path)
    return path, catalogue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--services", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    shape = StreamShape(given.events, given.services, user_facing=max(1, given.services // 10), seed=given.seed)
    print(f"{given.file} and {write_stream(shape, given.file)}")


if __name__ == "__main__":
    main()
