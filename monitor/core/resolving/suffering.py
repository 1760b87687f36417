"""Words in which people write that users suffer, or suffered: who it was, what went wrong, and nothing that doubts it.

English; an organisation adds its own in `impact_notes`. A sentence that supposes, denies or spares claims nothing:
"would have failed", "no customer complained", "before users noticed", "the canary only".
"""

from __future__ import annotations

import re

from monitor.core.model.catalogue import ImpactNotes
from monitor.core.resolving import languages

_USERS = (
    "customer|user|subscriber|merchant|visitor|patient|passenger|player|gamer|pupil|candidate|student|learner|teacher|parent|"
    "school|guest|viewer|buyer|seller|shopper|tenant|resident|citizen|rider|courier|caller|cardholder|traveller|"
    "traveler|commuter|clinic|retailer|restaurant|hotel|account holder|household|applicant|borrower|policyholder|donor|"
    "streamer|advertiser|punter|fan|caller|our (?:client|member|driver|reader|listener|publisher|partner)"
)
"""Those for whom services are there, by the trades that have them. Queues have consumers and clusters members, too."""
_THINGS = r"(?:table|service|db|database|schema|queue|topic|api|index|indexes|job|cache|page|list|import|export|team)s?"
"""What may be named after them: the users table."""
_NO_ACCOUNT = "".join(
    rf"(?<!\b{kind} )" for kind in ("backup", "db", "service", "root", "iam", "bot", "system", "admin", "sql")
)
"""Before `user`: an account of a program."""
_SPEAKS = (
    r"(?:who|is|was|has|had|got|gets|saw|sees|said|says|asked|asks|called|wrote|writes|report(?:s|ed)|complain\w*|"
    r"can\w*)"
)
"""What follows one of them, and not the first half of a name such as "customer export"."""
_STATUS = r"(?:http|got|gets?|giv\w+|gave|return\w*|saw|sees?|with|of|and) (?:40[13]|5\d\d)s?|5\d\ds|5xx"
"""A status of HTTP, and no number of users."""
_HARMED = (
    r"can ?not|can['’]?t|could ?n['’]?t|could not|unable|not able|impossible|complain\w*|angry|furious|affected|"
    r"impacted|los(?:t|ing)|locked out|kicked out|thrown out|logged out|booted|log in again|cut off|disconnect\w*|"
    r"drop(?:s|ped|ping)?|stuck|stranded|(?:still )?waiting|waited|errors?|fail(?:s|ed|ing)?|time(?:s|d)? ?outs?|"
    r"twice|duplicates?|wrong\w*|missing|blank|empty|broken|broke|refused|declin\w*|rejected|denied|sent away|"
    r"spun|spinn(?:er|ing)|hung|turned (?:\w+ )?away|delay\w*|late|slow|unavailable|unreachable|offline|outage|"
    r"crash\w*|freez\w+|frozen|froze|gone|down|charged|ring(?:ing)? in|rang|went (?:quiet|silent|dark|blank)|"
    r"ask(?:s|ed|ing) (?:why|what|where|when)|would(?:n['’]?t| not) (?!have)|" + _STATUS + r"|"
    r""
    r"engaged|busy (?:tone|signal)|dead air|missed|"
    r"(?:no|zero|0) successful|no (?:signal|service|tone|access|picture|sound|answer|data)|(?:\d+|several|many) times|"
    r"d(?:id|oes|o)(?:n['’]?t| not) (?:get|receive|arrive|work|load|see|open|respond|go through)|"
    r"never (?:got|received|arrived|came)|call(?:ed|ing)? (?:me|us|in|support|because|about|the)"
)
"""What went wrong for them."""
_FAILING = (
    r"can ?not|can['’]?t|could ?n['’]?t|could not|unable|not able|impossible|locked out|kicked out|logged out|booted|"
    r"log in again|errors?|fail(?:s|ed|ing)?|time(?:s|d)? ?outs?|blank|unavailable|unreachable|offline|outage|"
    r"crash\w*|freez\w+|frozen|froze|spinn(?:er|ing)|charged|bad gateway|gateway time-?out|internal server error|"
    r"would(?:n['’]?t| not) (?!have)|none of (?:them|these|it|the \w+) would|(?:is|are|was|were|went|been) down|"
    + _STATUS
    + r"|"
    r"(?:page|screen|list|site) (?:is|stays|was) empty|"
    r"d(?:id|oes|o)(?:n['’]?t| not) (?:work|load|see|open|respond|go through)"
)
"""What of it a program does, and not a parcel: those who write to a help desk complain of goods as well."""
_TIMED = _FAILING + r"|wrong\w*|refused|rejected|declined|(?:is|are|was|were|stayed) empty"
"""What is harm where it has its time: restarted twice, scaled down and late are not."""
_PEOPLE_TOO = (
    r"(?<![-_./\w])(?:drivers|clients|members|readers|listeners|partners|subscribers) (?:\w+ )?"
    r"(?:stand|stood|wait\w*|call\w*|complain\w*|ask\w*|writ\w+|wrote|saw|see|told)\b"
)
"""Words that machines have in common with people, where people do what follows."""
_MADE_GOOD = re.compile(
    r"\brefunds? (?:are |were )?(?:going|go|went|sent|issued|paid|out)\b|"
    r"\brefund(?:ed|ing) (?:all|them|every\w*|those|affected|\d+)\b|"
    r"\bapolog\w+|\bcompensat(?:ion|ed|ing)\b|\bgoodwill\b|\bcredits? (?:issued|given|paid)\b",
    re.IGNORECASE,
)
"""What is done for those who were hurt, and for nobody else."""
_BROKEN = (
    _FAILING + r"|exceptions?|fatals?|failures?|outages?|(?:is|are|was|were|goes|went|been|all|be) down|broken|broke|"
    r"drop(?:s|ped|ping)|lost|loses|losing|(?:is|are|was|were|all) gone|"
    r"froze|frozen|hangs?|hanging|hung|stuck|corrupt\w*|"
    r"not (?:working|loading|responding)|(?:quota|limit) exceeded|refused|rejected|declined"
)
"""What a person writes of a service that users see as it fails."""
_RETURNED = re.compile(
    r"\b(?:is|are|was|were|be|come|came|coming|it['’]s|we['’]re|they['’]re|now|all) back"
    r"(?= (?:up|online|now|again|for|on|in)\b|[ ,.!]*$)|"
    r"\bback (?:up|online|in service|in business)\b|\b(?:reachable|loads|loading|responds|responding) again\b|"
    r"\bshould (?:now |all )?be (?:\w+ )?(?:back|again)\b|\bshould (?:now |all )?(?:be|work|load) (?:\w+ )?again\b",
    re.IGNORECASE,
)
"""What a person writes as it comes back; it must have been away."""
_NOBODY_CAN = re.compile(
    r"\b(?:no ?one|nobody|none of (?:us|them|our \w+|the \w+))(?: \w+){0,4} "
    r"(?:can|could|was able to|is able to) (?:\w+ )?"
    r"(?:get (?:in|into|on|through)|"
    r"log|sign|start|open|use|access|see|reach|connect|pay|book|order|buy|play|watch|load|submit|upload|download|"
    r"save|print|send|call|work|edit|publish|check)\b",
    re.IGNORECASE,
)
_DOWN = re.compile(r"\b(?:is|are|was|were|went) (?:completely |all |still |totally )?down\b", re.IGNORECASE)
"""What of a service behind them says that what they see was down, unless it names a part."""
_PART = re.compile(
    r"\b(?:builds?|pipelines?|deploy\w*|rollouts?|releases?|jobs?|cron\w*|migrations?|replica\w*|standby|secondary|"
    r"pods?|nodes?|hosts?|instances?|containers?|disks?|backups?|certs?|certificates?|alerts?|monitor\w*|exporters?|"
    r"scrapes?|prs?|branch\w*|images?|leaders?|heartbeats?|consumers?|brokers?|workers?|threads?|links?|uplinks?|"
    r"transit|switch\w*|routers?|firewalls?|primary|master|servers?|machines?|db\d*|databases?|clusters?|ups|ports?|"
    r"interfaces?|peers?|tunnels?|circuits?|vms?|leases?|snapshots?|one of|half of|retr(?:y|ies|ied)|mysql|"
    r"postgres\w*|redis|kafka|etcd|raid|tests?|ci|pools?|connections?|caches?|queues?|index(?:es)?|importers?)\b",
    re.IGNORECASE,
)
"""Parts behind a service, which may fail while it does not."""
_WELL = re.compile(r"\b(?:fine|healthy|good|ok|okay|harm\w*|by design)\b", re.IGNORECASE)
"""Words beside it that say that the service works."""
_SPARED = re.compile(
    r"\b(?:nobody|no ?one|no (?:customer|user|client|visitor|guest|player|pupil|patient|school|site|shop)s?|"
    r"not a single)\b"
    r"(?:[\w ']{0,24}?)\b(?:notic\w+|saw|seen|see|affected|impacted|hit|hurt|complain\w*|call(?:s|ed)|felt|lost|"
    r"refused|got an?|anything|a thing)\b|"
    r"\b(?:zero|no|0) (?:calls?|tickets?|complaints?|gripes|reports|errors|lost|failed)\b|"
    r"\bnever (?:blinked|noticed|flinched|saw)\b|\bno (?:real |user |customer )?(?:harm|impact)\b|"
    r"\ball (?:green|clean)\b",
    re.IGNORECASE,
)
"""What says of the whole of a note that users were spared."""
_DOUBTED = (
    r"(?:no|zero|0)(?! (?:successful|signal|service|tone|access|picture|sound|answer|data)\b)|"
    r"none(?! of (?:them|these|it|the \w+) would)|nobody|no one|nothing|without|before|until|if|"
    r"(?<!of them )(?<!of these )(?<!none of it )would(?!n['’]?t (?!have)| not (?!have))|may|might|"
    r"will|should|possibl[ey]|potential\w*|risk\w*|almost|nearly|internal|"
    r"staff(?! (?:\w+ ){0,2}(?:say|said|says|report|told|tell|call|mention))|employees?|"
    r"drill|exercise|pilot|beta|canary|preview|staging|"
    r"shadow|mirror\w*|in case|otherwise|instead|"
    r"(?:do|did|does)(?:n['’]?t| not) (?:see|notice|feel) (?:it|that|this|any\w*|a thing|the difference)|"
    r"never(?! (?:got|received|arrived|came))|not yet|"
    r"not (?:affected|impacted|down|a single|lost)|un(?:affected|touched|harmed)|"
    r"any(?:body|one)(?! (?:around|here|there|else|awake|looking|about|know|on (?:call|duty)))|expected|planned|"
    r"announced|could(?! ?n['’]?t| not)|(?:in|load|smoke|pen|a|the) tests?(?! page)|testing|"
    r"test (?:users?|accounts?|tenants?|orders?|customers?)|looks? like|in the end"
)
"""What makes a sentence a guess, a denial, a plan, or news of someone who is no user."""
_CLOCK = r"(?<![\d.:v])(?:[01]?\d|2[0-3])[:h][0-5]\d(?::[0-5]\d)?(?![.:]?\d)"
_DOTTED = _CLOCK.replace("[:h]", "[.]")
"""A time of day; with a dot it may be a version, unless it says from when to when."""
_SPAN = re.compile(
    rf"{_CLOCK} ?(?:-|–|—|to|until|till|and) ?{_CLOCK}|\bsince {_CLOCK}|\bsince yesterday\b"
    rf"|\bbetween {_DOTTED} and {_DOTTED}",
    re.IGNORECASE,
)
"""From when to when: what people write of a thing that is over."""
_COUNTED = re.compile(
    r"\b\d[\d.,']*k? (?:failed|rejected|refused|lost|dropped|declined|missed|wrong|duplicate|double|bounced)\b"
    r"(?! (?:[\w-]+ ){0,2}(?:pods?|nodes?|jobs?|builds?|tests?|checks?|probes?|disks?|hosts?|retries|deploys?|"
    r"replicas?|flags?|configs?|settings?|rows?|lines?|runs?)\b)",
    re.IGNORECASE,
)
"""How many of them failed; parts of a system that fail are no users."""
_COUNTED_THINGS = (
    r"(?:\b\d[\d.,' ]*k? (?:\w+ )?(?:orders?|payments?|log[- ]?ins?|sign[- ]?ins?|requests?|calls?|bookings?|"
    r"transactions?|passwords?|accounts?|invoices?|deliveries|reservations?|claims?|tickets? sold|files? to)|"
    r"\b\d[\d.,]* ?% of )"
    r".{0,60}?\b(?:HARMED)\b"
)
"""How many of the things that users do went wrong."""
_COUNTED_BEINGS = (
    r"(?<![\w.,/#:-])(?:\d{1,3}(?:[,.']\d{3})+|\d+k?|forty|fifty|sixty|hundreds of|thousands of|dozens of)"
    r" (?:of )?(?:our )?"
    r"(?:(?!this|does|goes|gets|takes|bytes|times|hours|minutes|seconds|days|weeks|percents?)[a-z]{3,}s|folk)"
    r" (?:in [\w-]+ )?"
    r"(?=(?:had|have|got|were|was|could|can|saw|lost|received|rang|ring|asked|reported|complained|are)\b)"
    r"[^.;!?]{0,60}?\b(?:HARMED)\b"
)
"""A count of users, in any word of the trade for them, and what went wrong for them."""
_OTHERS_TOO = re.compile(
    r"\bis it (?:just|only) me\b|\bam i the only one\b|"
    r"\bany(?:one|body) else (?:see|seeing|get|getting|have|having|notic)",
    re.IGNORECASE,
)
"""How those ask who use a service."""
_SENTENCES = re.compile(r"(?<=[.;:!?\n])\s+| [-–] ")
_DESKS = frozenset(
    {"zendesk", "intercom", "helpscout", "freshdesk", "otrs", "zammad", "kayako", "gorgias", "hubspot", "trustpilot"}
    | {
        "discourse",
        "forum",
        "reddit",
        "twitter",
        "facebook",
        "whirlpool",
        "support",
        "helpdesk",
        "customers",
        "community",
        "care",
        "feedback",
        "appstore",
        "playstore",
        "downdetector",
    }
)
"""Parts of names of sources in which those write who use a service, or those who listen to them."""
_PARTS = re.compile(r"[/_\-.]")
MOST_READ = 1_000
"""Characters that are looked at."""


class Suffering:
    """Tells, by one organisation's words, texts in which users suffer."""

    def __init__(self, own: ImpactNotes) -> None:
        self._reads = own.read
        users, harmed = _USERS, _either(_HARMED, own.harmed)
        plural = rf"(?<![-_./\w])(?:(?:{users})s|branches|folks?|the public)(?![-_./]?\w)(?! {_THINGS}\b)"
        single = rf"(?<![-_./\w]){_NO_ACCOUNT}(?:{users})(?= {_SPEAKS}\b)"
        self._harmed = re.compile(rf"\b(?:{harmed})\b", re.IGNORECASE)
        self._failing = re.compile(rf"\b(?:{_either(_FAILING, own.harmed)})\b", re.IGNORECASE)
        told = "|".join(map(re.escape, own.users))
        self._own = re.compile(
            rf"(?<![-_./\w])(?:{told})(?:s|es|n|en)?(?![-_./]?\w)" if told else r"(?!)", re.IGNORECASE
        )
        self._users = re.compile(f"{plural}|{single}|{_PEOPLE_TOO}", re.IGNORECASE)
        self._timed = re.compile(rf"\b(?:{_either(_TIMED, own.harmed)})\b", re.IGNORECASE)
        self._beings = re.compile(_COUNTED_BEINGS.replace("HARMED", harmed), re.IGNORECASE)
        self._counted = re.compile(_COUNTED_THINGS.replace("HARMED", harmed), re.IGNORECASE)
        self._doubted = re.compile(rf"\b(?:{_either(_DOUBTED, own.spared)})\b", re.IGNORECASE)

    def told(self, text: str, source: str, *, seen: bool, serves: bool = False, faced: bool = False) -> str | None:
        """The words that report harm to users, shortened; None where none do.

        `seen`: users see the service that the text is about; then a failure with its time, or counted, is theirs.
        `serves`: what they see needs the service; then what they do that went wrong, or was made good, is theirs.
        `faced`: a person wrote it on a service that the catalogue calls user-facing; then its failing is their failing.
        """
        if not self._reads:
            return None
        text = text[:MOST_READ]
        if (abroad := _abroad(text, faced=faced)) is not None:
            return abroad
        at_desk = (seen or serves) and not _DESKS.isdisjoint(_PARTS.split(source.casefold()))
        timed = seen and _SPAN.search(text) is not None
        spared = _SPARED.search(text) is not None
        for sentence in _SENTENCES.split(text):
            # An organisation's own word for users may be one that spares others, as "staff" is.
            found = None
            if not self._doubted.search(self._own.sub("", sentence)):
                found = self._claimed(sentence, source, at_desk=at_desk, timed=timed, seen=seen, serves=serves or seen)
                found = found or (None if spared else _failed(sentence, faced=faced, serves=serves))
            if found is None and faced and not spared and _RETURNED.search(sentence) and not _PART.search(sentence):
                found = "a service that users see came back"
            if found is None and faced and _OTHERS_TOO.search(sentence):
                found = "someone asks whether it is so for others"
            if found is None and (seen or serves) and _NOBODY_CAN.search(sentence):
                found = "nobody can use it"
            if found is not None:
                return found
        return None

    def _claimed(
        self, sentence: str, source: str, *, at_desk: bool, timed: bool, seen: bool, serves: bool
    ) -> str | None:
        if self._harmed.search(sentence) and (self._users.search(sentence) or self._own.search(sentence)):
            return "users, and what went wrong for them"
        if at_desk and self._failing.search(sentence):
            return f"what went wrong, from those who use it ({source})"
        if serves and _MADE_GOOD.search(sentence):
            return "what was done for those who were hurt"
        if serves and self._counted.search(sentence):
            return "how many of the things that they do failed"
        if seen and _COUNTED.search(sentence):
            return "how many of them failed"
        if serves and self._beings.search(sentence) and not _PART.search(sentence):
            return "so many of them, and what went wrong for them"
        if timed and self._timed.search(sentence):
            return "what went wrong, and from when to when"
        return None


_BROKE = re.compile(rf"\b(?:{_BROKEN})\b", re.IGNORECASE)


def _failed(sentence: str, *, faced: bool, serves: bool) -> str | None:
    """What says that a service failed as a whole, and not a part behind it."""
    for clause in sentence.split(","):
        if _PART.search(clause) or _WELL.search(clause):
            continue
        if faced and _BROKE.search(clause):
            return "a service that users see failed"
        if serves and _DOWN.search(clause):
            return "something that users see was down"
    return None


_USERS_ABROAD = re.compile(rf"\b(?:{languages.USERS})\b", re.IGNORECASE)
_HARMED_ABROAD = re.compile(rf"\b(?:{languages.HARMED})\b", re.IGNORECASE)
_SPARED_ABROAD = re.compile(rf"\b(?:{languages.SPARED})\b", re.IGNORECASE)


def _abroad(text: str, *, faced: bool) -> str | None:
    """The same in other languages: who and what went wrong, or on a service that users see what went wrong."""
    for sentence in _SENTENCES.split(text):
        if _HARMED_ABROAD.search(sentence) and not _SPARED_ABROAD.search(sentence):
            if _USERS_ABROAD.search(sentence):
                return "users, and what went wrong for them"
            if faced and not _PART.search(sentence):
                return "a service that users see failed"
    return None


def _either(words: str, own: tuple[str, ...]) -> str:
    return "|".join([words, *map(re.escape, own)])
