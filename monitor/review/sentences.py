"""What happened, as a sentence for each kind of event: with who did it, by role, where the event says so."""

from __future__ import annotations

from monitor.core.model.events import Event
from monitor.core.model.near_miss import MOVES, Move, State
from monitor.review import wording as words

BY_SOMEBODY: dict[str, str] = {
    "alert.fired": "An alert fired",
    "alert.acknowledged": "{} acknowledged the alert",
    "alert.unacknowledged": "The acknowledgement expired",
    "alert.escalated": "The alert was escalated",
    "alert.silenced": "{} silenced the alert",
    "alert.resolved": "The alert recovered",
    "alert.cancelled": "{} closed the alert; it reported no recovery",
    "note.added": "{} wrote",
    "change.deployed": "{} deployed",
    "change.rolled_back": "{} rolled back",
    "change.configured": "{} changed the configuration",
    "change.flag_set": "{} set a flag",
    "change.scaled": "{} scaled it",
    "change.restarted": "{} restarted it",
    "change.failed_over": "{} failed over",
    "change.deleted": "{} deleted something",
    "change.restored": "{} restored it",
    "change.rotated": "{} rotated a secret or certificate",
    "change.ran": "{} ran an operation",
    "change.merged": "{} merged a change",
    "change.started": "{} began a change",
    "change.failed": "A change by {} failed",
    "change.held": "{} held a change",
    "change.blocked": "A guardrail blocked a change by {}",
    "incident.opened": "{} opened an incident",
    "incident.updated": "{} updated the incident",
    "incident.closed": "{} closed the incident",
    "responder.paged": "{} was paged",
    "responder.joined": "{} joined",
    "impact.started": "Users were affected, reported by {}",
    "impact.ended": "Users were no longer affected, reported by {}",
    "impact.clear": "A check found no impact",
    "maintenance.started": "{} began maintenance",
    "maintenance.ended": "{} ended maintenance",
}
"""`{}` is the role. Of a page it is who was called, not who called."""

_MOVES: dict[Move, str] = {
    Move.START_REVIEW: "be taken into review",
    Move.ACCEPT: "be accepted",
    Move.DISMISS: "be dismissed",
    Move.REOPEN: "be reopened",
    Move.MERGE: "be merged",
    Move.WITHDRAW: "be withdrawn",
    Move.SPLIT: "be taken out of another record",
    Move.ASSESS: "be assessed",
    Move.SNOOZE: "be snoozed",
    Move.WAKE: "be brought back",
    Move.HAND_OVER: "be handed over",
    Move.SHARE: "be shared",
    Move.KEEP_OPEN: "keep an open condition",
    Move.ADD_EVIDENCE: "get more evidence",
    Move.LEAVE_OUT: "lose evidence",
}


_BY_PEOPLE = (Move.ACCEPT, Move.DISMISS, Move.REOPEN)


def happened(event: Event) -> str:
    """What the event says, without a full stop: its own words follow. The kind alone where nobody is known."""
    who = event.actor
    if who is None or who.kind == "unknown":
        return words.kind(event)
    said = BY_SOMEBODY[event.kind].format(words.actor(who))
    return said[:1].upper() + said[1:]


def not_possible(state: State, move: Move) -> str:
    """Why a move is refused and what is possible instead, for people."""
    possible = [said for by, said in _MOVES.items() if (state, by) in MOVES and by in _BY_PEOPLE]
    instead = f"; it can {', or '.join(possible)}" if possible else ""
    return f"A record that is {words.STATES[state].lower()} cannot {_MOVES[move]}{instead}."
