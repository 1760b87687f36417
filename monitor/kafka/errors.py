"""What can be wrong with a Kafka source that waiting does not heal; each says where, what was expected and what to do.

What heals by itself is `monitor.ports.Unavailable`, not one of these.
"""

from __future__ import annotations

from collections.abc import Sequence


class KafkaProblem(Exception):
    """A person has to act; the reader must not go on, since going on would lose or invent events."""


class LoginRefused(KafkaProblem):
    """The broker was reached and did not accept who we are or how we ask."""

    def __init__(self, bootstrap: str, why: str) -> None:
        super().__init__(
            f"kafka.bootstrap {bootstrap}: the broker refused the connection ({why}); expected matching "
            "kafka.security_protocol, kafka.sasl_mechanism, kafka.username, kafka.password and kafka.ca_file. "
            "Compare them with the listener that the broker offers at this address."
        )


class UnusableCertificate(KafkaProblem):
    """A file for the encryption is there and cannot be used."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"kafka.ca_file, kafka.cert_file, kafka.key_file: {why}; expected certificates in PEM format, and in "
            "key_file the key of cert_file without a password. Convert them with openssl, for example "
            "`openssl pkey -in key.pem -out key-without-password.pem`."
        )


class MissingTopics(KafkaProblem):
    """Topics of the settings that the broker does not have, or does not show to this user."""

    def __init__(self, bootstrap: str, missing: Sequence[str]) -> None:
        names = ", ".join(missing)
        super().__init__(
            f"kafka.topics: {names} not found at {bootstrap}; expected topics that exist and that this user may "
            "describe and read. Create them (kafka-topics.sh --create), correct the names, or grant Describe and Read; "
            "the monitor never creates a topic itself."
        )
        self.topics = tuple(missing)


class TopicForbidden(KafkaProblem):
    """The broker does not let this user read a topic, or write to the journal's."""

    def __init__(self, topics: Sequence[str]) -> None:
        names = ", ".join(topics)
        super().__init__(
            f"kafka.topics: not allowed to use {names}; expected the permission Read on each topic, and Write on "
            "kafka.journal. Grant it to kafka.username (kafka-acls.sh --add --operation Read), or remove the topic "
            "from the settings."
        )


class GroupForbidden(KafkaProblem):
    """The broker does not let this user be a member of the group, or its members do not fit together."""

    def __init__(self, group: str, why: str) -> None:
        super().__init__(
            f"kafka.group: cannot be a member of {group} ({why}); expected the permission Read on the group, and in it "
            "only engines of this program. Grant it to kafka.username (kafka-acls.sh --add --operation Read --group), "
            "or choose another name."
        )


class TooFewPartitions(KafkaProblem):
    """The canonical topic has fewer partitions than the state was kept for."""

    def __init__(self, topic: str, found: int, known: int) -> None:
        super().__init__(
            f"kafka.canonical {topic}: it has {found} partitions, but what the database holds is kept for {known}; "
            "nothing was read. Expected the topic that the state was made with. Restore it, or begin with a new topic "
            "and `nearmiss rewind` (docs/how-to/kafka.md, 'Several engines')."
        )


class WritingForbidden(KafkaProblem):
    """The broker lets this user write to no topic at all."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(
            f"kafka.journal: {bootstrap} lets this user write to no topic; expected the permission Write on "
            "kafka.journal (and on kafka.dead_letter, where it is set). Grant it to kafka.username (kafka-acls.sh "
            "--add --operation Write)."
        )


class CreationRefused(KafkaProblem):
    """The broker did not create a topic that it was asked for."""

    def __init__(self, bootstrap: str, topic: str, why: str) -> None:
        super().__init__(
            f"{topic}: {bootstrap} did not create it ({why}); expected the permission Create on the cluster or "
            "on the topic, and no more replicas than there are brokers. Grant it (kafka-acls.sh --add "
            "--operation Create), or create the topic by hand as `nearmiss topics create --dry-run` describes it."
        )


class WrongCluster(KafkaProblem):
    """The positions in the database belong to another cluster than the one at the address."""

    def __init__(self, bootstrap: str, found: str, known: str) -> None:
        super().__init__(
            f"kafka.bootstrap {bootstrap}: this is cluster {found}, but the positions in the database belong to "
            f"cluster {known}; nothing was read. Expected one database for one cluster. Correct "
            "kafka.bootstrap or database; after a move to a new cluster, "
            "set the positions with `nearmiss rewind --to TIME --new-cluster`."
        )
        self.found = found
        self.known = known


class TooLargeToFetch(KafkaProblem):
    """A broker so old that it does not hand out a message which is larger than a fetch."""

    def __init__(self, bootstrap: str, why: str) -> None:
        super().__init__(
            f"kafka.topics at {bootstrap}: a message is larger than a fetch, and this broker does not hand it out "
            f"({why}); nothing was skipped. Expected brokers of version 1.0 or newer, which do. Or remove the message "
            "(kafka-delete-records.sh) and accept the gap (docs/how-to/kafka.md, 'When a position is lost')."
        )


class PositionLost(KafkaProblem):
    """The position in the database lies outside of what the topic still holds, so that a gap cannot be ruled out."""

    def __init__(self, key: str, position: int, first: int, end: int) -> None:
        if position < first:
            why = f"Kafka's retention has removed {first - position} entries that were never read"
        else:
            why = "the topic is shorter than what was read before, so it was deleted, recreated or restored"
        super().__init__(
            f"{key}: the database says to read on at offset {position}, but the topic holds {first} to {end}: {why}. "
            "Nothing was skipped. Restore the entries, or accept the gap with kafka.on_lost_position: continue "
            "(docs/how-to/kafka.md, 'When a position is lost')."
        )
        self.key = key
        self.position = position
        self.first = first
        self.end = end
