"""Every named "no": why something was not opened, not kept or withdrawn.

The same constant reaches the log field, the metric label, the API and the explain page. Values never change once
released; people filter on them.
"""

from __future__ import annotations

from enum import StrEnum


class NotOpened(StrEnum):
    """Why a hazard, a candidate or an episode gave no draft."""

    NO_INTERVENTION = "no_intervention"  # nobody and nothing acted within the rule's window
    CLEARED_BEFORE_ACTION = "cleared_before_action"  # the alert was over before anybody acted
    UNRELATED_INTERVENTION = "unrelated_intervention"  # something changed meanwhile, but nothing related
    CONDITION_NOT_MET = "condition_not_met"  # a further step of the rule did not happen, or not often enough
    ABSENCE_VIOLATED = "absence_violated"  # something happened that the rule says must not
    IMPACT_SEEN = "impact_seen"  # users were hit in the window, or in scope soon after safe
    IMPACT_IN_CHAIN = "impact_in_chain"  # users were hit by what followed the fix
    COVERED_BY_MAINTENANCE = "covered_by_maintenance"  # announced work covers every sign
    PLANNED_WORK = "planned_work"  # the impact or the change was announced beforehand
    DRILL = "drill"  # an exercise, a chaos experiment or a load test
    NON_PRODUCTION = "non_production"  # happened where no users are, and nothing ties it to production
    NO_SERVICE = "no_service"  # the event names no service, so nothing can be related to it
    IMPROBABLE = "improbable"  # what speaks for a rescue does not outweigh what speaks for coincidence
    SHADOW = "shadow"  # every matching rule is in shadow mode: counted, not shown
    TOO_MANY_OPEN = "too_many_open"  # more hazards of one kind on one service than are followed
    EVICTED = "evicted"  # the engine's memory budget was reached, and this was the least worth of what it kept
    RULE_GONE = "rule_gone"  # its rule was taken out, or changed so that it no longer fits, while it waited
    TOO_OLD = "too_old"  # arrived when everything around it had been forgotten


class Withdrawn(StrEnum):
    """Why the engine withdraws a draft, or marks a decided one as contradicted."""

    IMPACT_IN_WINDOW = "impact_in_window"
    IMPACT_AFTERWARDS = "impact_afterwards"  # in the scope within a day after safe
    IMPACT_TIED = "impact_tied"  # the same subject, change or incident within seven days
    IMPACT_IN_CHAIN = "impact_in_chain"
    PLANNED_WORK = "planned_work"  # maintenance announced late, or the impact was announced beforehand
    NO_LONGER_MATCHES = "no_longer_matches"  # late evidence took away what the rule needs


class Missing(StrEnum):
    """What could not be checked; each lowers the confidence and is shown to the reviewer."""

    NO_FEED = "no_feed"  # no feed that can see this harm covers a user-facing service of the scope
    FEED_GAP = "feed_gap"  # a feed was silent for longer than its freshness
    TRUNCATED = "truncated"  # the stream ended before the window did
    NO_RESOLVE = "no_resolve"  # the alert never reported a recovery; safe is assumed
    SAFE_ASSUMED = "safe_assumed"  # no alert and no incident was there to tell that it was over
    ALERT_CANCELLED = "alert_cancelled"  # the alert was closed without a recovery
    NAME_GUESSED = "name_guessed"  # a tool's name for a service was joined with one of the catalogue by a guess
    DEPENDENCIES_UNKNOWN = "dependencies_unknown"  # the catalogue says of no service what it depends on
    NO_PATH_TO_USERS = "no_path_to_users"  # the service is known, and the catalogue joins it to nothing users see
    SERVICE_UNKNOWN = "service_unknown"  # the catalogue does not know a cited service
    ENVIRONMENT_UNKNOWN = "environment_unknown"  # a cited event names no environment
    SIBLING_ONLY = "sibling_only"  # the action was on a sibling service, not on a neighbour
    IMPACT_UNSTATED = "impact_unstated"  # the incident record does not say whether users were hit
    TIME_MARKED = "time_marked"  # a cited event had an odd time
    EVICTED = "evicted"  # the engine's memory budget was reached, and evidence of the window may be gone
    EVIDENCE_CAPPED = "evidence_capped"  # more evidence than is kept; the rest is counted


class StateKind(StrEnum):
    """What the engine keeps in memory, in the order in which the byte budget evicts it."""

    WAITING = "waiting"  # events, or their labels, that wait for the watermark
    EVENTS = "events"  # remembered events, with the hazards that wait among them
    PLACES = "places"  # signs, changes and responses that the weighing keeps of a service
    HABITS = "habits"  # base rates of pairs and of alerts
    LAST_VALUES = "last_values"  # versions, settings, measured values
    FEEDS = "feeds"  # when feeds reported that all is well
    PAST_DRAFTS = "past_drafts"  # windows and repeats of drafts whose episode is over
    CLOSED_EPISODES = "closed_episodes"  # drafts that impact can still withdraw
    IMPACT = "impact"  # impact, incidents and maintenance
    CANDIDATES = "candidates"  # what may still become a draft


class Rejected(StrEnum):
    """Why something that arrived could not be read. Its bytes are kept."""

    NOT_JSON = "not_json"
    NOT_UTF8 = "not_utf8"
    NUL_BYTE = "nul_byte"
    SCHEMA_FRAMED = "schema_framed"  # a schema registry's envelope around the body
    MISROUTED = "misrouted"  # it lies in a partition of the shared topic that its service does not belong to
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    NOT_AN_EVENT = "not_an_event"  # JSON, but not of the shape that this source sends
    MISSING_FIELD = "missing_field"
    UNKNOWN_KIND = "unknown_kind"
    BAD_TIME = "bad_time"
    TIME_WITHOUT_OFFSET = "time_without_offset"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    BAD_FIELD = "bad_field"
    UNKNOWN_SOURCE = "unknown_source"
    FOREIGN_SOURCE = "foreign_source"  # the event names a source that its sender did not prove to be
    BAD_COMPRESSION = "bad_compression"
    BAD_SIGNATURE = "bad_signature"
    QUARANTINED = "quarantined"  # a defect of ours: the engine failed at it and went on without it
    MAPPING_OVERRUN = "mapping_overrun"  # a mapping's expressions grow beyond their bounds on this body
    DECODER_FAILED = "decoder_failed"  # a defect of ours: the bytes are kept and can be requeued after the fix


class Ignored(StrEnum):
    """Why a body that was read gives no event, by intention."""

    TEST_DELIVERY = "test_delivery"
    HANDSHAKE = "handshake"
    UNKNOWN_TYPE = "unknown_type"  # a type of message that this tool may send and that we do not use
    NOT_RELEVANT = "not_relevant"  # known, and says nothing about hazard, action or impact
    EMPTY = "empty"


class Mark(StrEnum):
    """What was odd about an event that was accepted all the same."""

    TIME_IN_FUTURE = "time_in_future"  # capped at its receipt time plus the tolerance
    TIME_FROM_RECEIPT = "time_from_receipt"  # the body tells no time
    LEAP_SECOND = "leap_second"
    NUMBER_INEXACT = "number_inexact"  # beyond 2**53
    TEXT_TRUNCATED = "text_truncated"
    LABELS_EVICTED = "labels_evicted"  # more waited for the watermark than the engine's memory allows
    FIELD_AS_LABEL = "field_as_label"  # a field held a value of the wrong sort; the value is kept among the labels


class FeedStep(StrEnum):
    """What a feed that is pulled says of users at one step; all but the first two are blind, and send nothing."""

    CLEAR = "clear"  # users are fine, on enough fresh samples
    HURT = "hurt"  # users are hit
    NO_DATA = "no_data"  # the query gives no series
    NOT_A_NUMBER = "not_a_number"  # a value is NaN or infinite
    BELOW_FLOOR = "below_floor"  # too few requests for a ratio to mean anything
    TOO_FEW_SAMPLES = "too_few_samples"  # the target was scraped too seldom in the window
    STALE = "stale"  # the newest sample is too old: the target is gone
    BETWEEN = "between"  # neither well nor hit
    NO_RULE = "no_rule"  # there is no alerting rule of this name, or it cannot be evaluated
    NOT_EVALUATED = "not_evaluated"  # nothing proves that the alerting rule was evaluated
    NO_WATCHDOG = "no_watchdog"  # the alert that always fires does not
    UNTOLD = "untold"  # a source that tells of impact only says nothing
    QUERY_FAILED = "query_failed"  # nobody answered; it is asked again


class FeedFailure(StrEnum):
    """Why a pulled feed gave no answer to rely on."""

    UNREACHABLE = "unreachable"  # no connection, or it broke
    TIMEOUT = "timeout"  # no whole answer in time
    TOO_LARGE = "too_large"  # the answer is over its limit
    DENIED = "denied"  # 401 or 403: the credentials are wrong or expired
    REFUSED = "refused"  # an error of the query or of the server
    PARTIAL = "partial"  # the answer comes with warnings: some stores did not answer
    UNREADABLE = "unreadable"  # not what a Prometheus answers


class Sent(StrEnum):
    """What became of a message for a chat or by mail."""

    POSTED = "posted"
    EDITED = "edited"  # the message that stands there was brought up to date
    UNCHANGED = "unchanged"  # what stands there says it already, or nobody is asked any more
    REFUSED = "refused"  # the chat will never take it; kept with the chat's reason
    PUT_OFF = "put_off"  # the chat is away, or asks to send less; tried again


class ChatRequest(StrEnum):
    """What became of a request that came from a chat; all but the first two were refused."""

    TAKEN = "taken"
    REPEATED = "repeated"  # the chat sent it again; it was taken before
    UNSIGNED = "unsigned"  # no signature, or a wrong one
    STALE = "stale"  # signed too long ago, or ahead of our clock
    REPLAYED = "replayed"  # the same signature came before
    UNREADABLE = "unreadable"
    ELSEWHERE = "elsewhere"  # from a workspace or a channel that is not configured
    NOT_ALLOWED = "not_allowed"  # the person is not among those who may decide
