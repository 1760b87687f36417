"""Words in which people write that users suffer, or suffered: who it was, what went wrong, and nothing that doubts it.

English; an organisation adds its own in `impact_notes`. A sentence that supposes, denies or spares claims nothing:
"would have failed", "no customer complained", "before users noticed", "the canary only".
"""

from __future__ import annotations

import re

from monitor.core.model.catalogue import ImpactNotes

_USERS = (
    "customer|user|subscriber|merchant|visitor|patient|passenger|player|gamer|pupil|student|learner|teacher|parent|"
    "school|guest|viewer|buyer|seller|shopper|tenant|resident|citizen|rider|courier|caller|cardholder|traveller|"
    "traveler|commuter|clinic|retailer|restaurant|hotel|account holder|household|applicant|borrower|policyholder|donor|"
    "streamer|advertiser|our (?:client|member|driver|reader|listener|publisher|partner)"
)
"""Those for whom services are there, by the trades that have them. Queues have consumers and clusters members, too."""
_SPEAKS = (
    r"(?:who|is|was|has|had|got|gets|saw|sees|said|says|asked|asks|called|wrote|writes|report(?:s|ed)|complain\w*|"
    r"can\w*)"
)
"""What follows one of them, and not the first half of a name such as "customer export"."""
_HARMED = (
    r"can ?not|can['’]?t|could ?n['’]?t|could not|unable|not able|impossible|complain\w*|angry|furious|affected|"
    r"impacted|los(?:t|ing)|locked out|kicked out|thrown out|logged out|booted|log in again|cut off|disconnect\w*|"
    r"drop(?:s|ped|ping)?|stuck|stranded|(?:still )?waiting|waited|errors?|fail(?:s|ed|ing)?|time(?:s|d)? ?outs?|"
    r"twice|duplicates?|wrong\w*|missing|blank|empty|broken|broke|refused|declined|rejected|denied|sent away|"
    r"delay\w*|late|slow|unavailable|unreachable|offline|outage|crash\w*|freez\w+|frozen|gone|down|5\d\ds?|5xx|"
    r"(?:no|zero|0) successful|no (?:signal|service|tone|access|picture|sound|answer|data)|(?:\d+|several|many) times|"
    r"d(?:id|oes|o)(?:n['’]?t| not) (?:get|receive|arrive|work|load|see|open|respond|go through)|"
    r"never (?:got|received|arrived|came)|call(?:ed|ing) (?:us|in|support|because|about|the)"
)
"""What went wrong for them."""
_FAILING = (
    r"can ?not|can['’]?t|could ?n['’]?t|could not|unable|not able|impossible|locked out|kicked out|logged out|booted|"
    r"log in again|errors?|fail(?:s|ed|ing)?|time(?:s|d)? ?outs?|blank|unavailable|unreachable|offline|outage|"
    r"crash\w*|freez\w+|frozen|spinn(?:er|ing)|5\d\ds?|5xx|down|(?:page|screen|list|site) (?:is|stays|was) empty|"
    r"d(?:id|oes|o)(?:n['’]?t| not) (?:work|load|see|open|respond|go through)"
)
"""What of it a program does, and not a parcel: those who write to a help desk complain of goods as well."""
_DOUBTED = (
    r"(?:no|zero|0)(?! (?:successful|signal|service|tone|access|picture|sound|answer|data)\b)|"
    r"none|nobody|no one|nothing|without|before|until|if|would|may|might|will|should|possibl[ey]|"
    r"potential\w*|risk\w*|almost|nearly|internal|staff|employees?|drill|exercise|pilot|beta|canary|preview|staging|"
    r"shadow|mirror\w*|in case|otherwise|instead|never(?! (?:got|received|arrived|came))|not yet|"
    r"not (?:affected|impacted|down|a single|lost)|un(?:affected|touched|harmed)|any(?:body|one)|expected|planned|"
    r"announced|could(?! ?n['’]?t| not)|(?:in|load|smoke|pen|a|the) tests?(?! page)|testing|"
    r"test (?:users?|accounts?|tenants?|orders?|customers?)|looks? like|in the end"
)
"""What makes of a sentence a guess, a denial, a plan, or news of somebody who is no user."""
_CLOCK = r"\d{1,2}[:.h]\d\d"
_SPAN = re.compile(
    rf"\b{_CLOCK}(?::\d\d)? ?(?:-|–|—|to|until|till|and) ?{_CLOCK}\b|\bsince {_CLOCK}\b|\bsince yesterday\b",
    re.IGNORECASE,
)
"""From when to when: what people write of a thing that is over."""
_COUNTED = re.compile(
    r"\b\d[\d.,']*k? (?:failed|rejected|refused|lost|dropped|declined|missed|wrong|duplicate|double|bounced)\b"
    r"(?! (?:pods?|nodes?|jobs?|builds?|tests?|checks?|probes?|disks?|hosts?|retries|deploys?))",
    re.IGNORECASE,
)
"""How many of them failed; parts of a system that fail are no users."""
_SENTENCES = re.compile(r"(?<=[.;!?\n])\s+| [-–] ")
_DESKS = frozenset(
    {"zendesk", "intercom", "helpscout", "freshdesk", "otrs", "zammad", "kayako", "gorgias", "hubspot", "trustpilot"}
    | {"support", "helpdesk", "customers", "community", "care", "feedback", "appstore", "playstore", "downdetector"}
)
"""Parts of names of sources in which those write who use a service, or those who listen to them."""
_PARTS = re.compile(r"[/_\-.]")
MOST_READ = 1_000
"""Characters that are looked at."""


class Suffering:
    """Tells, by one organisation's words, texts in which users suffer."""

    def __init__(self, own: ImpactNotes) -> None:
        self._reads = own.read
        users, harmed = _either(_USERS, own.users), _either(_HARMED, own.harmed)
        plural = rf"(?<![-_./\w])(?:(?:{users})s|branches|the public)(?![-_./]?\w)"
        single = rf"(?<![-_./\w])(?:{users})(?= {_SPEAKS}\b)"
        self._harmed = re.compile(rf"\b(?:{harmed})\b", re.IGNORECASE)
        self._failing = re.compile(rf"\b(?:{_either(_FAILING, own.harmed)})\b", re.IGNORECASE)
        self._users = re.compile(f"{plural}|{single}", re.IGNORECASE)
        self._doubted = re.compile(rf"\b(?:{_either(_DOUBTED, own.spared)})\b", re.IGNORECASE)

    def told(self, text: str, source: str, *, seen: bool) -> str | None:
        """What tells of suffering users, in a few words; None where nothing does.

        `seen`: users see the service that the text is about; then a failure with its time, or counted, is theirs.
        """
        if not self._reads:
            return None
        text = text[:MOST_READ]
        at_desk = not _DESKS.isdisjoint(_PARTS.split(source.casefold()))
        outside = seen and at_desk
        timed = seen and _SPAN.search(text) is not None
        for sentence in _SENTENCES.split(text):
            harmed = self._harmed.search(sentence)
            counted = seen and _COUNTED.search(sentence) is not None
            if (harmed is None and not counted) or self._doubted.search(sentence):
                continue
            if harmed is not None and self._users.search(sentence):
                return "users, and what went wrong for them"
            if outside and self._failing.search(sentence):
                return f"what went wrong, from those who use it ({source})"
            if counted:
                return "how many of them failed"
            if timed:
                return "what went wrong, and from when to when"
        return None


def _either(words: str, own: tuple[str, ...]) -> str:
    return "|".join([words, *map(re.escape, own)])
