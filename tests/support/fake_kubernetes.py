"""A small Kubernetes API: objects with resource versions, lists in pages, watches, and a history that is compacted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Answer = tuple[int, bytes]


class FakeKubernetes:
    """One resource. `history`: version, type, object of each change; `compacted`: the newest version that is gone."""

    def __init__(self, kind: str = "Event") -> None:
        self.kind = kind
        self.version = self.compacted = 0
        self.objects: dict[str, dict[str, Any]] = {}
        self.history: list[tuple[int, str, dict[str, Any]]] = []
        self.asked: list[Mapping[str, str]] = []
        self.answers_gone_in_line = False
        self.bookmarks = True

    def put(self, what: str, found: dict[str, Any]) -> None:
        """An object is new, changed or gone."""
        self.version += 1
        metadata = {**found.get("metadata", {}), "resourceVersion": str(self.version)}
        found = {**found, "metadata": metadata}
        uid = metadata["uid"]
        if what == "DELETED":
            self.objects.pop(uid, None)
        else:
            self.objects[uid] = found
        self.history.append((self.version, what, found))

    def compact(self) -> None:
        """Whoever watches from before now is told that it is gone."""
        self.version += 1
        self.compacted = self.version
        self.history.clear()

    def list(self, query: Mapping[str, str]) -> Answer:
        """A page; objects of a list do not name their kind."""
        self.asked.append(query)
        begin, version = 0, self.version
        if token := query.get("continue"):
            begin, version = map(int, token.split("-"))
            if version < self.compacted:
                return 410, b'{"kind":"Status","code":410,"reason":"Expired"}'
        every = sorted(self.objects.values(), key=lambda each: str(each["metadata"]["uid"]))
        end = begin + int(query["limit"])
        page = [{key: value for key, value in each.items() if key != "kind"} for each in every[begin:end]]
        metadata = {"resourceVersion": str(version), **({"continue": f"{end}-{version}"} if end < len(every) else {})}
        return 200, json.dumps({"kind": f"{self.kind}List", "metadata": metadata, "items": page}).encode()

    def watch(self, query: Mapping[str, str]) -> Answer:
        """What follows a version, as lines."""
        self.asked.append(query)
        since = int(query["resourceVersion"])
        if since < self.compacted:
            gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
            if not self.answers_gone_in_line:
                return 410, json.dumps(gone).encode()
            return 200, json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n"
        lines = [{"type": what, "object": found} for version, what, found in self.history if version > since]
        if self.bookmarks:
            lines.append(
                {"type": "BOOKMARK", "object": {"kind": self.kind, "metadata": {"resourceVersion": str(self.version)}}}
            )
        return 200, b"".join(json.dumps(line).encode() + b"\n" for line in lines)
