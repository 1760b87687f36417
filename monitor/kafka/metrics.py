"""What is counted of Kafka's topics."""

from __future__ import annotations

from monitor.ops.instruments import Instruments
from monitor.ops.shared_metrics import SharedMetrics


class KafkaMetrics(SharedMetrics):
    """What was lost, halted or set aside."""

    def __init__(self, make: Instruments) -> None:
        super().__init__(make)
        self.kafka_halted_topics = make.gauge(
            "nearmiss_kafka_halted_topics", "Topics that are not read until someone resumes them."
        )
        self.kafka_positions_lost = make.counter(
            "nearmiss_kafka_positions_lost_total", "Lost offsets that were skipped (`kafka.on_lost_position`)."
        )
        self.kafka_messages_lost = make.counter(
            "nearmiss_kafka_messages_lost_total", "Messages that were removed before they were read."
        )
        self.kafka_dead_letters = make.counter(
            "nearmiss_kafka_dead_letters_total", "Rejects that were sent to the dead-letter topic."
        )
