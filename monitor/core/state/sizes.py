"""What the larger structures of the state take in memory, in bytes, by what they hold."""

from __future__ import annotations

from monitor.core.state.candidates import Candidate, CappedEvidence
from monitor.core.state.costs import ENTRY, event_bytes, labels_bytes, text_bytes, texts_bytes
from monitor.core.state.episodes import Episode, PastDraft
from monitor.core.weighing.option import Caught
from monitor.core.weighing.place import ServiceMemory

PLACE = 900
SIGN = 420
RATE = 200
DOMAIN = 900
FEED = 700
SLOT = 260
INSTANCE = 1_600
EPISODE = 2_000
OPTION = 900


def place_bytes(place: ServiceMemory) -> int:
    signs = sum(
        SIGN + sum(map(event_bytes, sign.events)) + text_bytes(sign.key) + text_bytes(sign.name) for sign in place.signs
    )
    return (
        PLACE
        + text_bytes(place.service)
        + signs
        + sum(map(event_bytes, place.changes))
        + sum(map(event_bytes, place.responses))
        + RATE * (len(place.rates) + len(place.orphans))
        + texts_bytes(place.orphans)
    )


def caught_bytes(caught: Caught) -> int:
    total = text_bytes(caught.id) + event_bytes(caught.act) + (event_bytes(caught.undone) if caught.undone else 0)
    for option in caught.options:
        total += OPTION + ENTRY * len(option.values) + labels_bytes(option.details) + texts_bytes(option.pairings)
        total += sum(map(event_bytes, option.cited))
    return total


def evidence_bytes(evidence: CappedEvidence) -> int:
    return sum(map(event_bytes, evidence.events))


def candidate_bytes(candidate: Candidate) -> int:
    own = 4 * text_bytes(candidate.id) + text_bytes(candidate.key)
    followed = sum(ENTRY + 100 + text_bytes(key) for key in candidate.tracks)
    return INSTANCE + own + followed + evidence_bytes(candidate.hazards) + evidence_bytes(candidate.interventions)


def episode_bytes(episode: Episode) -> int:
    texts = (*episode.services, *episode.candidates, *episode.cited, *episode.subjects, *episode.others)
    draft = 0
    if episode.draft is not None:
        draft = 6_000 + sum(event_bytes(cited.event) for cited in episode.draft.evidence)
    return EPISODE + texts_bytes(texts) + 160 * len(episode.others) + draft


def past_draft_bytes(draft: PastDraft) -> int:
    return 2 * ENTRY + 200 + texts_bytes(draft.services)
