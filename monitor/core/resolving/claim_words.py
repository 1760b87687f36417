"""English words in which people write that users are hurt, by their part in a sentence: who, what went wrong, doubt.

Fragments of regular expressions, matched without regard to case. What they make together is said in `claims.py`.
"""

from __future__ import annotations

# -- who -----------------------------------------------------------------------------------------------------------

USERS = (
    "account holder|advertiser|applicant|borrower|buyer|caller|candidate|cardholder|citizen|clinic|commuter|courier|"
    "customer|donor|fan|gamer|guest|hotel|household|learner|merchant|parent|passenger|patient|player|policyholder|"
    "punter|pupil|resident|restaurant|retailer|rider|school|seller|shopper|streamer|student|subscriber|teacher|tenant|"
    "traveler|traveller|user|viewer|visitor|our (?:client|driver|listener|member|partner|publisher|reader)"
)
"""Those for whom services are there, by the trades that have them. Queues have consumers and clusters members, too."""
THINGS_NAMED_AFTER_THEM = (
    r"(?:api|cache|database|db|export|import|index|indexes|job|list|page|queue|schema|service|table|team|topic)s?"
)
"""As in "the users table"."""
NO_ACCOUNT = "".join(
    rf"(?<!\b{kind} )" for kind in ("backup", "db", "service", "root", "iam", "bot", "system", "admin", "sql")
)
"""Before `user`: an account of a program."""
SPEAKS = (
    r"(?:who|is|was|has|had|got|gets|saw|sees|said|says|asked|asks|called|wrote|writes|report(?:s|ed)|complain\w*|"
    r"can\w*)"
)
"""What follows one of them, and not the first half of a name such as "customer export"."""
PEOPLE_TOO = (
    r"(?<![-_./\w])(?:drivers|clients|members|readers|listeners|partners|subscribers) (?:\w+ )?"
    r"(?:stand|stood|wait\w*|call\w*|complain\w*|ask\w*|writ\w+|wrote|saw|see|told)\b"
)
"""Words that machines have in common with people, where people do what follows."""
SO_MANY = (
    r"(?<![\w.,/#:-])(?:\d{1,3}(?:[,.']\d{3})+|\d+k?|forty|fifty|sixty|hundreds of|thousands of|dozens of)"
    r" (?:of )?(?:our )?"
    r"(?:(?!this|does|goes|gets|takes|bytes|times|hours|minutes|seconds|days|weeks|percents?)[a-z]{3,}s|folk)"
    r" (?:in [\w-]+ )?"
    r"(?=(?:had|have|got|were|was|could|can|saw|lost|received|rang|ring|asked|reported|complained|are)\b)"
)
"""So many of them, under any name that a trade has for them, before what they had or did."""
DONE_BY_THEM = (
    r"(?:\b\d[\d.,' ]*k? (?:\w+ )?(?:orders?|payments?|log[- ]?ins?|sign[- ]?ins?|requests?|calls?|bookings?|"
    r"transactions?|passwords?|accounts?|invoices?|deliveries|reservations?|claims?|tickets? sold|files? to)|"
    r"\b\d[\d.,]* ?% of )"
)
"""So many of the things that they do."""
PLAIN_USERS = (
    r"(?:customers?|users?|clients?|subscribers?|members?|merchants?|visitors?|patients?|passengers?|players?)"
)
"""In a title every word counts: only the plainest."""

# -- what went wrong -----------------------------------------------------------------------------------------------

_STATUS = r"(?:http|got|gets?|giv\w+|gave|return\w*|saw|sees?|with|of|and) (?:40[13]|5\d\d)s?|5\d\ds|5xx"
"""A status of HTTP, and no number of users."""
_UNABLE = r"can ?not|can['’]?t|could ?n['’]?t|could not|unable|not able|impossible"
_WOULD_NOT = r"would(?:n['’]?t| not) (?!have)"
HARMED = (
    rf"{_UNABLE}|complain\w*|angry|furious|affected|"
    r"suspended|overcharged|"
    r"impacted|los(?:t|ing)|locked out|kicked out|thrown out|logged out|booted|log in again|cut off|disconnect\w*|"
    r"drop(?:s|ped|ping)?|stuck|stranded|(?:still )?waiting|waited|errors?|fail(?:s|ed|ing)?|time(?:s|d)? ?outs?|"
    r"twice|duplicates?|wrong\w*|missing|blank|empty|broken|broke|refused|declin\w*|rejected|denied|sent away|"
    r"spun|spinn(?:er|ing)|hung|turned (?:\w+ )?away|delay\w*|late|slow|unavailable|unreachable|offline|outage|"
    r"crash\w*|freez\w+|frozen|froze|gone|down|charged|ring(?:ing)? in|rang|went (?:quiet|silent|dark|blank)|"
    rf"ask(?:s|ed|ing) (?:why|what|where|when)|{_WOULD_NOT}|{_STATUS}|"
    r"engaged|busy (?:tone|signal)|dead air|missed|"
    r"(?:no|zero|0) successful|no (?:signal|service|tone|access|picture|sound|answer|data)|(?:\d+|several|many) times|"
    r"d(?:id|oes|o)(?:n['’]?t| not) (?:get|receive|arrive|work|load|see|open|respond|go through)|"
    r"never (?:got|received|arrived|came)|call(?:ed|ing)? (?:me|us|in|support|because|about|the)"
)
"""What went wrong for them."""
FAILING = (
    rf"{_UNABLE}|locked out|kicked out|logged out|booted|"
    r"log in again|errors?|fail(?:s|ed|ing)?|time(?:s|d)? ?outs?|blank|unavailable|unreachable|offline|outage|"
    r"crash\w*|freez\w+|frozen|froze|spinn(?:er|ing)|charged|bad gateway|gateway time-?out|internal server error|"
    rf"{_WOULD_NOT}|none of (?:them|these|it|the \w+) would|(?:is|are|was|were|went|been) down|{_STATUS}|"
    r"(?:page|screen|list|site) (?:is|stays|was) empty|"
    r"d(?:id|oes|o)(?:n['’]?t| not) (?:work|load|see|open|respond|go through)"
)
"""What of it a program does, and not a parcel: those who write to a help desk complain of goods as well."""
TIMED = FAILING + r"|wrong\w*|refused|rejected|declined|(?:is|are|was|were|stayed) empty"
"""What is harm where it has its time: restarted twice, scaled down and late are not."""
BROKEN = (
    FAILING + r"|exceptions?|fatals?|failures?|outages?|(?:is|are|was|were|goes|went|been|all|be) down|broken|broke|"
    r"drop(?:s|ped|ping)|lost|loses|losing|(?:is|are|was|were|all) gone|"
    r"froze|frozen|hangs?|hanging|hung|stuck|corrupt\w*|"
    r"not (?:working|loading|responding)|(?:quota|limit) exceeded|refused|rejected|declined"
)
"""What a person writes of a service that users see as it fails."""
DOWN = r"(?:is|are|was|were|went) (?:completely |all |still |totally )?down"
"""What of a service behind them says that what they see was down, unless it names a part."""
COUNTED = (
    r"\d[\d.,']*k? (?:failed|rejected|refused|lost|dropped|declined|missed|wrong|duplicate|double|bounced)\b"
    r"(?! (?:[\w-]+ ){0,2}(?:pods?|nodes?|jobs?|builds?|tests?|checks?|probes?|disks?|hosts?|retries|deploys?|"
    r"replicas?|flags?|configs?|settings?|rows?|lines?|runs?)\b)"
)
"""How many of them failed; parts of a system that fail are no users."""
RETURNED = (
    r"(?:is|are|was|were|be|come|came|coming|it['’]s|we['’]re|they['’]re|now|all) back"
    r"(?= (?:up|online|now|again|for|on|in)\b|[ ,.!]*$)|"
    r"back (?:up|online|in service|in business)\b|(?:reachable|loads|loading|responds|responding) again\b|"
    r"should (?:now |all )?be (?:\w+ )?(?:back|again)\b|should (?:now |all )?(?:be|work|load) (?:\w+ )?again\b"
)
"""What a person writes as it comes back; it must have been away."""
NOBODY_CAN = (
    r"(?:no ?one|nobody|none of (?:us|them|our \w+|the \w+))(?: \w+){0,4} "
    r"(?:can|could|was able to|is able to) (?:\w+ )?"
    r"(?:get (?:in|into|on|through)|"
    r"log|sign|start|open|use|access|see|reach|connect|pay|book|order|buy|play|watch|load|submit|upload|download|"
    r"save|print|send|call|work|edit|publish|check)"
)
OTHERS_TOO = r"is it (?:just|only) me\b|am i the only one\b"
"""How those ask who use a service."""
MADE_GOOD = (
    r"refunds? (?:are |were )?(?:going|go|went|sent|issued|paid|out)\b|"
    r"refund(?:ed|ing) (?:all|them|every\w*|those|affected|\d+)\b|"
    r"apolog\w+|compensat(?:ion|ed|ing)\b|goodwill\b|credits? (?:issued|given|paid)\b"
)
"""What is done for those who were hurt, and for nobody else."""
SUFFER = (
    r"(?:cannot|can ?not|can't|(?:are )?unable|are not able|fail(?:ing)? to|(?:see|get|report)(?:t?ing)? errors?"
    r"|are (?:affected|impacted|locked out|logged out|down)|(?:affected|impacted|complain(?:s|ing|ed)?|meet)\b)"
)
"""What follows the plainest users in a title."""
_SEEN = (
    r"(?:(?:web ?)?sites?|pages?|dashboards?|log[- ]?ins?|sign[- ]?ins?|check ?out|portal|app|everything|service)"
    r"(?: of ours)?"
)
"""What users see of a system, as people call it."""
_GIVES = r"(?:giv(?:es?|ing)|return(?:s|ing)?|throw(?:s|ing)?|serv(?:es|ing)|show(?:s|ing)?|get(?:s|ting)?)"
_BEING = r"(?:is|are|was|were|went|has been|have been)(?: all| completely| still)?"
_REFUSES = r"(?:does ?n[o']t|do ?n[o']t|will not|won't|cannot|can't|did ?n[o']t)"
UNSERVED = (
    r"\b5(?:0[234]|xx)s?\b"
    rf"|\b{_GIVES} (?:me |us |an? |only |http )*500s?\b|\b500s (?:from|on|for|here|now)\b"
    rf"|\b{_SEEN} {_BEING} (?:down|unreachable|unavailable|offline|blank|gone|timing out)\b"
    rf"|\b{_SEEN} (?:times? out|timed out|{_REFUSES} (?:load|open|work|respond))\b"
    r"|\bservice unavailable\b"
    rf"|\b(?:it|{_SEEN}) (?:(?:is|are) )?(?:loads?|works?|reachable|available|responds?|responding|up) again\b"
    r"|\b(?:your|our live|live) \w+(?: \w+)? (?:is|are|does|do|times?|can|cannot)\b"
    rf"|^\W*{PLAIN_USERS}: "
    r"|\bsupport (?:is|are|has been|have been) (?:e-?mailing|mailing|contacting|telling|writing)\b"
    r"|\b(?:it was|down for|out for) (?:about |some )?\d+ (?:min\w*|hours?|h|seconds?)\b"
    r"|\b\d+ (?:min\w*|hours?|h) (?:of )?(?:downtime|outage|down)\b"
    r"|\bis it (?:just |only )?me\b|\b(?:could|can) ?n[o']t be \w+ for\b"
    r"|\b(?:all|every one)(?: of)?(?: the| our)? \w+ (?:is|are|were) (?:dead|down|gone|unreachable)\b"
)
"""What those see, or saw, whom a service does not serve."""

# -- when ----------------------------------------------------------------------------------------------------------

_CLOCK = r"(?<![\d.:v])(?:[01]?\d|2[0-3])[:h][0-5]\d(?::[0-5]\d)?(?![.:]?\d)"
_DOTTED = _CLOCK.replace("[:h]", "[.]")
"""A time of day; with a dot it may be a version, unless it says from when to when."""
SPAN = (
    rf"{_CLOCK} ?(?:-|–|—|to|until|till|and) ?{_CLOCK}|\bsince {_CLOCK}|\bsince yesterday\b"
    rf"|\bbetween {_DOTTED} and {_DOTTED}"
)
"""From when to when: what people write of a thing that is over."""

# -- doubt ---------------------------------------------------------------------------------------------------------

DOUBTED = (
    r"(?:no|(?:zero|0)(?= \w))(?! (?:successful|signal|service|tone|access|picture|sound|answer|data)\b)|"
    r"none(?! of (?:them|these|it|the \w+) would)|nobody|no one|nothing|without|before|until|if|"
    r"(?<!of them )(?<!of these )(?<!none of it )would(?!n['’]?t (?!have)| not (?!have))|may|might|"
    r"will|should|possibl[ey]|potential\w*|risk\w*|almost|nearly|(?<![.\w-])internal(?! server error)|"
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
"""What makes of a sentence a guess, a denial, a plan, or news of someone who is no user."""
SPARED = (
    r"\b(?:nobody|no ?one|no (?:customer|user|client|visitor|guest|player|pupil|patient|school|site|shop)s?|"
    r"not a single)\b"
    r"(?:[\w ']{0,24}?)\b(?:notic\w+|saw|seen|see|affected|impacted|hit|hurt|complain\w*|call(?:s|ed)|felt|lost|"
    r"refused|got an?|anything|a thing)\b|"
    r"\b(?:zero|no|0) (?:calls?|tickets?|complaints?|gripes|reports|errors|lost|failed)\b|"
    r"\bnever (?:blinked|noticed|flinched|saw)\b|\bno (?:real |user |customer )?(?:harm|impact)\b|"
    r"\ball (?:green|clean)\b"
)
"""What says of the whole of a note that users were spared."""
WELL = r"(?:fine|healthy|good|ok|okay|harm\w*|by design)"
"""What says in the same breath that the service is healthy."""
PART = (
    r"(?:builds?|pipelines?|deploy\w*|rollouts?|releases?|jobs?|cron\w*|migrations?|replica\w*|standby|secondary|"
    r"pods?|nodes?|hosts?|instances?|containers?|disks?|backups?|certs?|certificates?|alerts?|monitor\w*|exporters?|"
    r"scrapes?|prs?|branch\w*|images?|leaders?|heartbeats?|consumers?|brokers?|workers?|threads?|links?|uplinks?|"
    r"transit|switch\w*|routers?|firewalls?|primary|master|servers?|machines?|db\d*|databases?|clusters?|ups|ports?|"
    r"interfaces?|peers?|tunnels?|circuits?|vms?|leases?|snapshots?|one of|half of|retr(?:y|ies|ied)|mysql|"
    r"postgres\w*|redis|kafka|etcd|raid|tests?|ci|pools?|connections?|caches?|queues?|index(?:es)?|importers?)"
)
"""Parts behind a service, which may fail while it does not."""
UNSURE = (
    r"(?:no(?! longer)|not yet|zero|without|before|until|if|would|could|may|might|possibl[ey]|potential\w*|risk\w*|"
    r"almost|nearly|internal|staff|test\w*|drill|exercise|pilot|beta)"
)
"""What makes of a title, or of the whole of a text, no claim."""
SPARED_ELSEWHERE = (
    r"(?:canary|preview|staging|shadow|mirror\w*|one (?:pod|replica|node|instance)|retr(?:y|ies|ied)|nobody|"
    r"nothing|none|never|unaffected|expected|fine|not (?:down|affected|impacted)|internal\w*|\d+ (?:ms|gb|mb))"
)
"""What says in the same breath that users were spared, or that the number is no status code."""

# -- where ---------------------------------------------------------------------------------------------------------

DESKS = frozenset(
    {"zendesk", "intercom", "helpscout", "freshdesk", "otrs", "zammad", "kayako", "gorgias", "hubspot", "trustpilot"}
    | {"discourse", "forum", "reddit", "twitter", "facebook", "whirlpool", "support", "helpdesk", "customers"}
    | {"community", "care", "feedback", "appstore", "playstore", "downdetector"}
)
"""Parts of names of sources in which those write who use a service, or those who listen to them."""
