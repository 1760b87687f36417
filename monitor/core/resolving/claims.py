"""Words in which people and alerts say that users are hurt. English; an organisation adds alerts in `impact_alerts`.

What is doubtful claims nothing: a canary, a drill, "would have been", "nobody noticed".
"""

from __future__ import annotations

import re

_USERS = r"(?:customers?|users?|clients?|subscribers?|members?|merchants?|visitors?|patients?|passengers?|players?)"
_SUFFER = (
    r"(?:cannot|can ?not|can't|(?:are )?unable|are not able|fail(?:ing)? to|(?:see|get|report)(?:t?ing)? errors?"
    r"|are (?:affected|impacted|locked out|logged out|down)|(?:affected|impacted|complain(?:s|ing|ed)?|meet)\b)"
)
_CLAIMED = re.compile(
    rf"\b{_USERS} {_SUFFER}|\b(?:affect|impact)(?:s|ing) (?:all |some |our |many |most )?{_USERS}\b", re.IGNORECASE
)
_UNSURE = re.compile(
    r"\b(?:no(?! longer)|not yet|zero|without|before|until|if|would|could|may|might|possibl[ey]|potential\w*|risk\w*|"
    r"almost|nearly|internal|staff|test\w*|drill|exercise|pilot|beta)\b",
    re.IGNORECASE,
)
_SPARED = re.compile(
    r"\b(?:canary|preview|staging|shadow|mirror\w*|one (?:pod|replica|node|instance)|retr(?:y|ies|ied)|nobody|"
    r"nothing|none|never|unaffected|expected|fine|not (?:down|affected|impacted)|internal\w*|\d+ (?:ms|gb|mb))\b",
    re.IGNORECASE,
)
"""What says in the same breath that users were spared, or that the number is no status code."""
_SEEN = (
    r"(?:(?:web ?)?sites?|pages?|dashboards?|log[- ]?ins?|sign[- ]?ins?|check ?out|portal|app|everything|service)"
    r"(?: of ours)?"
)
"""What users see of a system, as people call it."""
_GIVES = r"(?:giv(?:es?|ing)|return(?:s|ing)?|throw(?:s|ing)?|serv(?:es|ing)|show(?:s|ing)?|get(?:s|ting)?)"
_BEING = r"(?:is|are|was|were|went|has been|have been)(?: all| completely| still)?"
_REFUSES = r"(?:does ?n[o']t|do ?n[o']t|will not|won't|cannot|can't|did ?n[o']t)"
_UNSERVED = re.compile(
    r"\b5(?:0[234]|xx)s?\b"
    rf"|\b{_GIVES} (?:me |us |an? |only |http )*500s?\b|\b500s (?:from|on|for|here|now)\b"
    rf"|\b{_SEEN} {_BEING} (?:down|unreachable|unavailable|offline|blank|gone|timing out)\b"
    rf"|\b{_SEEN} (?:times? out|timed out|{_REFUSES} (?:load|open|work|respond))\b"
    r"|\bservice unavailable\b"
    rf"|\b(?:it|{_SEEN}) (?:(?:is|are) )?(?:loads?|works?|reachable|available|responds?|responding|up) again\b"
    r"|\b(?:your|our live|live) \w+(?: \w+)? (?:is|are|does|do|times?|can|cannot)\b"
    rf"|^\W*{_USERS}: "
    r"|\bsupport (?:is|are|has been|have been) (?:e-?mailing|mailing|contacting|telling|writing)\b"
    r"|\b(?:it was|down for|out for) (?:about |some )?\d+ (?:min\w*|hours?|h|seconds?)\b"
    r"|\b\d+ (?:min\w*|hours?|h) (?:of )?(?:downtime|outage|down)\b"
    r"|\bis it (?:just |only )?me\b|\b(?:could|can) ?n[o']t be \w+ for\b"
    r"|\b(?:all|every one)(?: of)?(?: the| our)? \w+ (?:is|are|were) (?:dead|down|gone|unreachable)\b",
    re.IGNORECASE,
)
_ASKED = (
    r"(?:requests?|responses?|calls?|push(?:es)?|log[- ]?ins?|sign[- ]?ins?|checkouts?|payments?|orders?|uploads?|"
    r"downloads?|writes|reads|queries|deliver(?:y|ies)|sessions?|api|http)"
)
_TOO_FEW = r"\W*(?:is )?(?:below|low|drop|under|<)"
_REFUSED = re.compile(
    r"\b5xx|5xx\b|\bhttp ?5\d\d\b"
    r"|\b(?:critical|status|code|errors?|returns?|returning|got|with|gives?)\W{1,3}50[0234]\b"
    r"|(?:error|failure|failed) ?-?(?:rate|ratio|percent)|high ?error"
    rf"|success ?-?(?:rate|ratio){_TOO_FEW}|availability{_TOO_FEW}"
    rf"|\b{_ASKED} (?:are |is )?(?:being )?(?:fail|error|reject|dropp|lost)|\bfail(?:ed|ing) {_ASKED}\b",
    re.IGNORECASE,
)


def claims_harm(text: str) -> bool:
    """Whether a title or a note says of users that they suffer: "customers cannot log in"."""
    return _CLAIMED.search(text) is not None and _UNSURE.search(text) is None


def says_unserved(text: str) -> bool:
    """Whether a text says what users of a failing service see, or saw: "the page gives 500"."""
    return _UNSERVED.search(text) is not None and _is_sure(text)


def says_refused(text: str) -> bool:
    """Whether an alert's name says that what users ask for fails: a rate of errors, 5xx, failing logins."""
    return _REFUSED.search(text) is not None and _is_sure(text)


def _is_sure(text: str) -> bool:
    return _UNSURE.search(text) is None and _SPARED.search(text) is None
