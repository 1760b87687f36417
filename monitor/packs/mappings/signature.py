"""How a mapping says that a delivery is proven: by a token, Standard Webhooks, or an HMAC whose details it names."""

from __future__ import annotations

from typing import Literal, cast, get_args

from monitor.decode.hmac_schemes import Algorithm, Hmac, hmac_scheme, named_token
from monitor.decode.signatures import STANDARD, TOKEN, Encoding, Scheme
from monitor.located.form import Form, name_of
from monitor.located.nodes import Mapping, Node, Scalar
from monitor.located.problems import Problems
from monitor.packs.mappings.keys import SIGNATURE_KEYS

NAMED: dict[str, Scheme] = {"token": TOKEN, "standard-webhooks": STANDARD}
_SEPARATORS = ("", ".", ":")


def read_scheme(node: Node | None, problems: Problems) -> Scheme:
    """The scheme; a token where nothing else is said, or where it cannot be read (then `problems` says why)."""
    if node is None:
        return TOKEN
    if isinstance(node, Scalar) and node.text in NAMED:
        return NAMED[node.text]
    if not isinstance(node, Mapping):
        expected = "token, standard-webhooks, or a mapping with `header`"
        problems.error(node.place, f"signature is {name_of(node)}", expected, "`signature: {header: x-signature}`")
        return TOKEN
    form = Form(node, problems, "signature", SIGNATURE_KEYS)
    header = form.text("header", "the name of a header", "x-signature", required=True).lower()
    if form.choice("kind", ("hmac", "token"), "hmac") == "token":
        return named_token(header)
    separator = form.get("separator")
    between = separator.text if isinstance(separator, Scalar) else "."
    if between not in _SEPARATORS:
        expected = 'what stands between the time and the body: ".", ":" or ""'
        problems.error(form.place_of("separator"), f"separator is {between!r}", expected, '`separator: "."`')
    return hmac_scheme(
        Hmac(
            header=header,
            algorithm=cast(Algorithm, form.choice("algorithm", get_args(Algorithm), "sha256")),
            encoding=cast(Encoding, form.choice("encoding", get_args(Encoding), "hex")),
            prefix=form.text("prefix", "what stands before the signature", "sha256="),
            form="timestamped" if form.choice("form", ("plain", "timestamped"), "plain") == "timestamped" else "plain",
            timestamp=form.text("timestamp", "the name of a header", "x-timestamp").lower() or None,
            separator=between,
            key=cast(Literal["text", "base64"], form.choice("key", ("text", "base64"), "text")),
        )
    )
