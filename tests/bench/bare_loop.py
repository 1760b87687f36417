"""The reference: reads a file line by line and decodes each with msgspec into a flat struct with a datetime."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import msgspec


class Flat(msgspec.Struct):
    id: str
    source: str
    time: datetime
    kind: str
    service: str | None = None
    environment: str | None = None
    subject: str | None = None
    severity: str | None = None
    title: str | None = None


def main() -> None:
    decode = msgspec.json.Decoder(Flat).decode
    count = 0
    with Path(sys.argv[1]).open("rb") as file:
        for line in file:
            decode(line)
            count += 1
    print(count)


if __name__ == "__main__":
    main()
