"""Plain words in an event that every organisation uses alike: routine, revert; and who an event speaks of.

English only. A word that is missing costs nothing: it is one sign among many.
"""

from __future__ import annotations

import re
from functools import lru_cache

from monitor.core.matching.facts import is_scheduled
from monitor.core.model.events import Event
from monitor.core.model.words import own_words

_ROUTINE = re.compile(
    r"(?<![-_./:\w])(drill|exercise|trial (?:of|run|shift|period)|"
    r"game ?day|chaos|load[- ]?test\w*|rehears\w*|experiment|scheduled|planned|"
    r"calendar|freeze|superseded|release[- ]?train|nightly|daily|weekly|cron|rolling|ramp|hygiene|on purpose|"
    r"campaign|demo|quarterly|monthly|seasonal|"
    r"handover|pre-?scal\w*|autoscal\w*|routine|maintenance window|newer (?:commit|run|build|version|pipeline)|"
    r"no changes|plan[- ]only|needs? approval|(?:awaiting|waiting for) approval|dry[- ]?run|restore[- ](?:test|check)|"
    r"(?:on|in|to|into) (?:the |a |our )?(?:dev|staging|sandbox|scratch|qa|uat))(?![-_/:]?\w)",
    re.IGNORECASE,
)
_EXERCISE = re.compile(
    r"\b(drill|exercise|game ?day|failure friday|fault[- ]?inject\w*|chaos|"
    r"load[- ]?test\w*|(?<!in )rehears\w*|experiment|planned|on purpose|"
    r"maintenance window)\b",
    re.IGNORECASE,
)
_DRILL = re.compile(
    r"\b(drill|exercise|game ?day|failure friday|fault[- ]?inject\w*|chaos|rehears\w*)\b", re.IGNORECASE
)
_PLANNED = re.compile(
    r"\b(?:as|like) (?:planned|agreed|announced|scheduled)\b|(?<!un)(?<!un-)\bplanned\b", re.IGNORECASE
)
_VERBS = {
    f"change.{kind}": re.compile(rf"\b(?:{verb})", re.IGNORECASE)
    for kind, verb in {
        "scaled": "scal|replicas|capacity|more nodes|fewer nodes|resiz",
        "restarted": "restart|reboot|bounc",
        "deployed": "deploy|releas|roll(?:ing)? ?out|ship",
        "flag_set": "flag|toggl|turn(?:ing)? (?:on|off)|enabl|disabl",
        "configured": "config|chang|set(?:ting)?\\b",
        "failed_over": "fail(?:ing)? ?over|switch",
        "rotated": "rotat|renew",
        "deleted": "delet|remov|decom",
    }.items()
}
"""How people speak of a kind of change."""
_NOT_ROUTINE = re.compile(r"\b(un|not )-?(planned|scheduled)", re.IGNORECASE)
_TROUBLE = re.compile(
    r"\b(broken|breaks?|breaking|fail(s|ed|ing|ures?)?|wrong|mistake\w*|incorrect\w*|corrected|corrupt\w*|missing|lost|"
    r"stuck|hang(s|ing)?|leak\w*|degraded|unhealthy|crash\w*|errors?|bugs?|regress\w*|outage|incident|hotfix|emergency|"
    r"urgent\w*|mitigat\w*|recover\w*|undo|undid|rescue\w*|exhaust\w*|misconfig\w*|unsafe|suspicious|odd|weird|"
    r"strange|unexpected\w*|accident\w*|(?<!scale )(?<!scaled )(?<!scaling )down|slow|timeouts?|spik\w*|rebuil[dt]|"
    r"bad|overload\w*|"
    r"fall(s|ing)? over|fell over|blow(s|n|ing)? up|blew up|chok(es?|ed|ing)|pressure|"
    r"duplicat\w*|mismatch\w*|differ(s|ent)?|impossible|never arriv\w*|does ?n[o']t|did ?n[o']t|"
    r"(do|does) not (match|agree|add up|fit)|please (do not|don't) (send|run|deploy|release|merge|ship|touch)|"
    r"cannot|can't)\b",
    re.IGNORECASE,
)
_SURPRISE = re.compile(
    r"\b(why (is|are|was|were|do|does|did|has|have)|is (it|that|this|he|she) (right|normal|expected|ok(ay)?|intended)|"
    r"(any|some)(body|one) (know|knows|else)|wonder\w*|puzzl\w*|confus\w*|explain\w*|funny|curious|"
    r"(looks?|seems?|is|are|bit|slightly|way|numbers?) off(?= |$)(?! (to|the|by default|for)\b)|"
    r"should(n't| not)|supposed|no longer|ha(s|ve) ?n[o']t|where (did|has|have|is|are)|suddenly|twice|instead of|"
    r"(close|near) to (its|the|a) limit|run(s|ning)? (low|out)|almost (full|out)|uh[- ]?oh|oh no|oops|yikes|ouch|eek|"
    r"hit the (wall|limit|ceiling)|not enough|too (small|low|few|little|late|tight)|"
    r"(won't|will not|would not|wouldn't) (fit|hold|last|make it|survive|be enough))\b",
    re.IGNORECASE,
)
"""How people write when something is not as they expected."""
_PLAN = re.compile(
    r"^\W*(?:(?:heads[- ]?up|fyi|hi|hello|hey|ok|all|everyone|team|today|tonight|tomorrow|later|now|next|shortly|so|"
    r"then)\b\W*)*"
    r"(?:(?:i|we)(?:'ll| will| plan to| want to| intend to|'m about to|'re about to| am about to| are about to)\b"
    r"|(?:i|we)(?:'m| am|'re| are) going to (?!run out|run into|hit|lose|fail|break|miss|be\b|have\b|need\b)"
    r"|tonight (?:is|we|i)\b|tomorrow (?:we|i)\b)",
    re.IGNORECASE,
)
"""How a note begins whose author announces an action."""
_REQUEST = re.compile(
    r"^\W*(?:(?:hi|hello|hey|folks|team|all|please)\b\W*)*(?:can|could|may|shall|should|would) "
    r"(?:i|we|you|some(?:one|body)|any(?:one|body))\b",
    re.IGNORECASE,
)
"""How people ask for leave or for a favour."""
_HARMLESS = re.compile(
    r"\b(?:nothing to (?:do|worry|see)|no action (?:needed|required|necessary)|false (?:alarm|positive)|harmless|"
    r"(?:safe to|can|just) ignore|not a problem|no problem|as expected|(?:is|are|was|were|all) expected|expected,|"
    r"(?:is|that's|it's|this is) (?:normal|fine|known|us|ours)|known (?:issue|noise|batch|flake)|flak(?:y|e)|"
    r"test alert|harmless|gone now|(?:fine|ok|back) now)\b",
    re.IGNORECASE,
)
"""How people say that an alert is no danger."""
_FALSE_ALARM = re.compile(
    r"\bfalse (?:alarm|positive)s?\b|\b(?:looks? like|is|are|was|all|an?) (?-i:FPs?)\b|"
    r"\b(?:exporter|sensor|probe|monitor(?:ing)?) (?:bug|fault|is (?:wrong|broken|lying))\b",
    re.IGNORECASE,
)
_NO_FALSE_ALARM = re.compile(r"\b(?:no|not a|isn't a|never a) false (?:alarm|positive)", re.IGNORECASE)
_EXPERIMENT = re.compile(r"(?:exp|experiment|ab|ab[-_]?test)[-_]?\d*(?:[-_].*)?", re.IGNORECASE)
"""How flags are named that are turned on and off to compare."""
_OUTSIDE = re.compile(
    r"\b(?:only|just) (?:on |in |the )?(?:staging|sandbox|qa|uat|dev)\b|\b(?:staging|sandbox|qa|uat|dev) only\b",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"\b(alert(ing|s)?|thresholds?|dashboards?|monitors?|recording rules?|owners?|tags?|descriptions?|docs?|"
    r"documentation|readme|comments?|typos?|wording|translations?)\b",
    re.IGNORECASE,
)
"""What is beside the running system: what watches it, and what is written about it."""
_BESIDES = frozenset({"alert_rule", "alert rule", "dashboard", "monitor", "silence", "prometheusrule"})
_REVERT = re.compile(
    r"^\W*(revert(s|ed|ing)?\b|roll(ed|ing)?[ -]?back|put(ting)? back|set back|undo\b|undid\b)|\bthis reverts commit\b|"
    r"\b(previous|old|former|last (known )?good) (\w+ )?"
    r"(settings?|config\w*|values?|versions?|release|image|policy|rules?|state|limits?)\b.{0,40}"
    r"\b(again|back|restored|re-?applied)\b|"
    r"\bback (to|on) (the )?(previous|old|former|last (known )?good)\b",
    re.IGNORECASE,
)
_SAYS_WHY = frozenset({"reason", "type", "trigger", "change_type", "category", "cause", "event", "task"})
_FREE_TEXT = frozenset({"alertname", "title", "summary", "description"})
_YES = frozenset({"true", "yes", "1"})
_NO = frozenset({"false", "no", "0", ""})
LONGEST_REASON = 40
"""A longer value of a label is prose, in which a word may stand for its opposite."""

_RELEASE = re.compile(r"(?<![\d.])\d+(?:\.\d+){2}(?:-[a-z0-9.]+)?(?![\d.])")
_VARYING = re.compile(r"[0-9a-f]{6,}|\d+")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_WORD = re.compile(r"[A-Za-z]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SAYS_LITTLE = frozenset(
    {"alert", "doe", "from", "than", "with", "more", "les", "thi", "that", "have", "been", "once", "again", "into"}
    | {"over", "under", "above", "below", "high", "nightly", "daily", "weekly", "deploy", "deployment", "deployed"}
    | {"release", "restart", "restarted", "service", "server", "node", "main", "production", "prod", "live", "staging"}
    | {"change", "failed", "failing", "request", "incident", "update", "updated", "patch", "container", "replica"}
)
"""Words that alerts and changes of every sort have in common: to share one says nothing."""
_SMALL_TALK = frozenset(
    {"error", "time", "rate", "check", "test", "people", "user", "customer", "team", "today", "tonight", "tomorrow"}
    | {
        "morning",
        "evening",
        "minute",
        "hour",
        "week",
        "just",
        "will",
        "would",
        "could",
        "should",
        "they",
        "them",
        "what",
    }
    | {"when", "then", "there", "here", "were", "some", "back", "down", "after", "before", "about", "since", "only"}
    | {"still", "please", "think", "look", "like", "need", "want", "going", "using", "used", "start", "stop", "run"}
    | {"runn", "running", "work", "working", "open", "close", "need", "free", "full", "slow", "fast", "first", "last"}
    | {"next", "line", "name", "data", "page", "thing", "make", "made"}
    | {"good", "great", "issue", "problem", "https", "http", "slack", "percent", "average", "value", "through", "your"}
    | {f"{which}{who}" for which in ("any", "some", "every") for who in ("one", "body", "thing")}
)
"""Words of every talk: that an alert has one of them too says nothing."""
_NUMBER = re.compile(r"(?<![\d.:])(?:\d{3,}(?![\d.:])|\d+\.\d+(?![\d:]))")


def is_exercise(event: Event) -> bool:
    """Whether an alert belongs to something planned or practised. What ran by timetable and failed is no exercise."""
    title = own_words(event)
    return _EXERCISE.search(title) is not None and not _NOT_ROUTINE.search(title)


def is_drill_by_name(event: Event) -> bool:
    """Whether the title calls it a drill, an exercise, a game day: harm on purpose, and undone as planned."""
    title = own_words(event)
    return _DRILL.search(title) is not None and not _NOT_ROUTINE.search(title)


def says_plan(event: Event) -> bool:
    """Whether a note begins with what its author is about to do: it announces work and reports nothing."""
    return _PLAN.search(own_words(event)) is not None


def calls_harmless(event: Event) -> bool:
    """Whether a person writes that what is alerted about is no danger."""
    return any(map(_HARMLESS.search, (own_words(event), event.labels.get("comment", ""))))


def calls_false_alarm(event: Event) -> bool:
    """Whether a person writes that nothing was wrong but the alert."""
    told = f"{own_words(event)} {event.labels.get('comment', '')}"
    return _FALSE_ALARM.search(told) is not None and not _NO_FALSE_ALARM.search(told)


def is_outside(note: Event) -> bool:
    """Whether a note says that it is about a place without users alone, such as staging."""
    return _OUTSIDE.search(own_words(note)) is not None


def announces(note: Event, act: Event) -> bool:
    """Whether someone wrote of such an act that it is planned: "scaling shop up for the sale, as planned"."""
    verb, words = _VERBS.get(act.kind), own_words(note)
    return verb is not None and _PLANNED.search(words) is not None and verb.search(words) is not None


def is_routine(event: Event) -> bool:
    """Whether the event itself calls the work routine: planned, scheduled, a drill, a release train, autoscaling."""
    title = event.title or ""
    if _NOT_ROUTINE.search(title):
        return False
    if is_scheduled(event) or _ROUTINE.search(title) or _EXPERIMENT.fullmatch(event.labels.get("flag", "")):
        return True
    for key, value in event.labels.items():
        if key in _FREE_TEXT:
            continue
        word = value.lower()
        if word in _YES and _ROUTINE.search(key.replace("_", " ")):
            return True
        if key in _SAYS_WHY and word not in _NO and len(value) < LONGEST_REASON and _ROUTINE.search(value):
            return not _NOT_ROUTINE.search(value)
    return False


def names_trouble(event: Event) -> bool:
    """Whether a person's words name something that is wrong: in the title or where a source says why."""
    texts = [
        event.title or "",
        *(event.labels.get(key, "") for key in ("text", "reason", "description", "comment", "message")),
    ]
    return any(map(_tells_of_trouble, texts))


@lru_cache(maxsize=4096)
def _tells_of_trouble(text: str) -> bool:
    return _TROUBLE.search(text) is not None


def worries(note: Event) -> bool:
    """Whether a note or a record names trouble or wonders, and neither asks for a favour nor calls it harmless."""
    words = own_words(note)
    if _REQUEST.search(words) or _HARMLESS.search(words):
        return False
    return names_trouble(note) or names_surprise(note)


def names_surprise(event: Event) -> bool:
    """Whether a person wonders: a report asks or doubts more often than it names what is wrong."""
    return _is_surprised(own_words(event))


@lru_cache(maxsize=4096)
def _is_surprised(text: str) -> bool:
    return _SURPRISE.search(text) is not None or "??" in text


def is_beside(event: Event) -> bool:
    """Whether a change is of an alert, a dashboard or a description: no help to what they are about."""
    if event.labels.get("object_kind", "").lower() in _BESIDES:
        return True
    return event.kind == "change.configured" and _BESIDE.search(event.title or "") is not None


@lru_cache(maxsize=4096)
def versions_in(text: str) -> frozenset[str]:
    """The version numbers of three parts in a text: which release an alert and an act are both about."""
    return frozenset(_RELEASE.findall(text))


def says_revert(event: Event) -> bool:
    """Whether the event says that it undoes an earlier change: by the label `reverts`, or in its title."""
    return bool(event.labels.get("reverts")) or _REVERT.search(event.title or "") is not None


def stem(subject: str, service: str) -> str:
    """A subject without its service's name and without numbers and hashes: what recurs from service to service.

    The name counts however a tool separates its words.
    """
    return _VARYING.sub("#", _spelt(service).sub("~", subject.lower()))


@lru_cache(maxsize=4096)
def _spelt(service: str) -> re.Pattern[str]:
    """A service's name with any separators; what matches nothing where there is no name."""
    words = [word for word in _SEPARATORS.split(service.lower()) if word]
    return re.compile(rf"(?<![a-z0-9]){r'[-_. /]?'.join(words)}(?![a-z0-9])" if words else r"(?!)")


def shared_words(sign: Event, act: Event) -> frozenset[str]:
    """The telling words in which an act names a sign, in the singular: "dump failed", "dump it once more"."""
    names = " ".join(name for event in (sign, act) for name in (event.service, event.environment) if name)
    return (_words(_told(sign)) & _words(_told(act))) - _SAYS_LITTLE - _words(names)


def telling(event: Event) -> frozenset[str]:
    """What a note would have of an event that it is about: its words, long numbers and versions."""
    about = " ".join((_told(event), event.labels.get("flag", ""), event.labels.get("version", "")))
    return _tokens(about) | (_words(event.service or "") - _SAYS_LITTLE - _SMALL_TALK)


def said_in(note: Event) -> frozenset[str]:
    """The same of a note itself."""
    return _tokens(own_words(note))


@lru_cache(maxsize=2048)
def _tokens(text: str) -> frozenset[str]:
    return (_words(text) - _SAYS_LITTLE - _SMALL_TALK) | frozenset(_NUMBER.findall(text))


def _told(event: Event) -> str:
    return " ".join((event.labels.get("alertname", ""), event.title or "", event.subject or ""))


@lru_cache(maxsize=2048)
def _words(text: str) -> frozenset[str]:
    """The longer words of a text or a name, in the singular."""
    return frozenset(word.lower().rstrip("s") for word in _WORD.findall(_HUMP.sub(" ", text)) if len(word) > 3)


def people(event: Event) -> frozenset[str]:
    """Under which names the actor of an event may be known elsewhere; empty for automation."""
    actor = event.actor
    if actor is None or actor.kind == "automation":
        return frozenset()
    named = event.labels.get("actor_name")
    found = {actor.id, _SEPARATORS.sub("-", actor.id.lower()).strip("-")} if actor.id else set()
    if named:
        found.add(_SEPARATORS.sub("-", named.lower()).strip("-"))
    return frozenset(found)
