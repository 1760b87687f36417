"""Every key of a mapping, its default and its meaning: one table for the grammar and the reference page."""

from __future__ import annotations

from monitor.packs.language.keys import Key, names

MAPPING = (
    Key(
        "mapping",
        "required",
        "the tool: the first part of its sources' names, in lower case; an own mapping of a shipped name replaces it",
    ),
    Key("title", "the name", "the tool as people write it"),
    Key("reports", "", "one sentence: what the tool reports"),
    Key("aliases", "", "further first parts of names that mean the same tool"),
    Key("setup", "", "what to do in the tool so that it sends its bodies here"),
    Key("limits", "", "what its payloads lack, a sentence each"),
    Key("signature", "`token`", "how a delivery is proven: a scheme, or a mapping (below)"),
    Key("handshake", "", "`when` a body is a question of the tool, and the `answer` that it wants: names to values"),
    Key("each", "the body", "an expression that finds the list of what gives an event each"),
    Key("volatile", "", "fields that differ from one delivery of the same to the next, left out of the hash"),
    Key(
        "skip", "", "bodies that give no event: `when`, `as` (`test_delivery`, `handshake`, `not_relevant`), `because`"
    ),
    Key("fields", "", "fields for all events (below); an event's own come first"),
    Key("events", "required", "what gives an event: the first whose condition holds does, with its own fields"),
    Key("examples", "", "bodies and what must come of them, run by `nearmiss mapping test`"),
)

EVENT = (
    Key("kind", "required", "a kind of the event format, or `path` and `words` that give one"),
    Key("when", "always", "a [condition](#conditions)"),
    Key("also", "`false`", "`true`: beside the event that is chosen, whichever it is"),
)

FIELDS = (
    Key("time", "time of receipt", "when it happened: a [time](#times)"),
    Key(
        "id",
        "a hash of the piece",
        "a value or a list of values that together identify the occurrence; all must be there",
    ),
    Key("service", "", "a [value](#values)"),
    Key("environment", "", "a value"),
    Key("subject", "", "a value: what ties the beginning to its end, such as the alert or the deployment"),
    Key("severity", "", "a value; common words are known, `words` says the tool's own"),
    Key("title", "", "a value"),
    Key(
        "actor", "", "who acted: a value, or a mapping of `id` (a value) and `kind` (`human`, `automation`, or a value)"
    ),
    Key("labels", "", "names to values; null takes one away that stands under `fields:`"),
    Key(
        "spread",
        "",
        "expressions that find labels as an object, as pairs of `key` and `value`, or as `name:value` texts",
    ),
    Key("value", "", "a value that is a number, with a unit or without"),
    Key("limit", "", "likewise"),
    Key("unit", "", "a value"),
    Key("bound", "", "a value: `max`, `min` or `expected`"),
    Key("began_at", "", "of impact: a time"),
    Key("expires_at", "", "a time"),
    Key("url", "", "a value"),
)

VALUE = (
    Key("path", "", "an expression, or a list of values of which the first that says something counts"),
    Key("text", "", "in place of `path`: a text in which `{expression}` stands for what it finds"),
    Key("find", "", "a pattern (RE2): its group, or all that it matches, is the value"),
    Key("words", "", "the tool's words, in any case, and what they mean here"),
    Key("otherwise", "", "what stands in where nothing is found"),
)

TIME = (
    Key("path", "required", "an expression, or a list of them: the first that can be read counts"),
    Key("format", "", "how it is written where that is not known (below), or a list: `%Y-%m-%d %H:%M:%S`"),
    Key("zone", "", "the zone of times without an offset, such as `UTC` or `Europe/Berlin`"),
    Key("otherwise", "", "`receipt`: a time that cannot be read is replaced by the time of receipt, and marked"),
)

SKIP = (
    Key("when", "required", "a condition"),
    Key("as", "`not_relevant`", "`test_delivery`, `handshake`, `not_relevant` or `unknown_type`"),
    Key("because", "", "a few words for the page of sources"),
)

EXAMPLE = (
    Key("name", "required", "what happened"),
    Key("body", "required", "the body: as YAML, or as a text that holds JSON"),
    Key("headers", "", "headers of the delivery"),
    Key("expect", "required", "a list of events with the fields that must be so, or the reason why there is none"),
)

HANDSHAKE = (
    Key("when", "required", "a condition"),
    Key("answer", "required", "names to values of the JSON that the tool wants to hear back"),
)

SIGNATURE = (
    Key("header", "required", "the header that holds the signature or the token"),
    Key("kind", "`hmac`", "`token`: the header holds the secret itself"),
    Key("algorithm", "`sha256`", "`sha1`, `sha256` or `sha512`"),
    Key("encoding", "`hex`", "`hex` or `base64`"),
    Key("prefix", "", "what stands before the signature, such as `sha256=`"),
    Key("form", "`plain`", "`timestamped`: the header is `t=…,v1=…`, and the time is signed with the body"),
    Key("timestamp", "", "the header that holds the signed time, where it is one of its own"),
    Key("separator", '`"."`', "what stands between the signed time and the body"),
    Key("key", "`text`", "`base64`: the secret is the base64 of the key"),
)

CONDITION = (
    Key("a value", "", "the field says it; texts, numbers and truth values are compared as texts, in any case"),
    Key("a list", "", "one of them; `null` is a field that says nothing. A field that is a list holds one of them"),
    Key("prefix, suffix, contains", "", "the text begins with, ends with or contains it, or one of a list"),
    Key("matches", "", "a pattern (RE2) is found in it"),
    Key("present", "", "`true`: the field says something; `false`: it does not"),
    Key("not", "", "the value, list or operator does not hold"),
)

MAPPING_KEYS = names(MAPPING)
FIELD_KEYS = names(FIELDS)
EVENT_KEYS = names(EVENT, FIELDS)
TIME_KEYS = names(TIME)
SKIP_KEYS = names(SKIP)
EXAMPLE_KEYS = names(EXAMPLE)
SIGNATURE_KEYS = names(SIGNATURE)
HANDSHAKE_KEYS = names(HANDSHAKE)
