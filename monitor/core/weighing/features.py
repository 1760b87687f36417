"""The evidence for and against a rescue: each feature by name, with its direction, its reasoned weight and its words.

Directions are fixed by reason; a fit may change a weight's size and never its sign. Source of the reasoned weights: the
weighing prototype described in docs/explanation/weighing.md.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.core.model.near_miss import Reason


class Feature(msgspec.Struct, frozen=True):
    """`direction`: whether the weight may only be positive (1) or negative (-1). A value may have either sign.

    `raises`, `lowers`: the sentence that says why it made a rescue more, or less, likely; `{}` takes a detail.
    """

    name: str
    direction: Literal[-1, 0, 1]
    reasoned: float
    raises: str
    lowers: str


_TABLE = (
    Feature("bias", 0, -7.0, "", "most actions near an alert are coincidence"),
    Feature("reversal", 1, 2.5, "it undid an earlier change", ""),
    Feature(
        "corrective",
        1,
        1.0,
        "this kind of action usually fixes something",
        "this kind of action usually ships something new",
    ),
    Feature("stopped", 1, 0.8, "a change was stopped before it took effect", ""),
    Feature("automation", -1, -1.5, "", "automation acted, not a person"),
    Feature("automatic_rescue", 1, 1.2, "automation failed over, rolled back or restored", ""),
    Feature("routine", -1, -3.0, "", "described as routine, planned or an exercise"),
    Feature("severity", 1, 1.5, "the alert was {}", ""),
    Feature("note", 1, 0.8, "a person reported something odd", ""),
    Feature("record", 1, 1.0, "there is an incident record", ""),
    Feature("undone_soon", 1, 1.5, "the change was undone {} later", ""),
    Feature("outside_production", -1, -1.5, "", "it happened outside production"),
    Feature("same_thing", 1, 1.0, "hazard and action name the same subject", ""),
    Feature("neighbour", -1, -0.8, "", "the action was on a neighbouring service"),
    Feature("sibling", -1, -2.0, "", "the action was on a sibling service"),
    Feature("page_taken", 1, 1.2, "a person acknowledged the page", ""),
    Feature("same_person", 1, 1.5, "the person who acted had acknowledged or commented", ""),
    Feature("others_came", 1, 0.8, "others were paged or joined", ""),
    Feature("agree", 1, 0.7, "{} other signs agree", ""),
    Feature("recovered", 1, 1.2, "it recovered {}", "it recovered only {}"),
    Feature("came_back", -1, -2.0, "", "the alert came back within two hours"),
    Feature("clears_alone", -1, -1.5, "this alert has never cleared by itself", "this alert often clears by itself"),
    Feature("rare_act", 1, 1.0, "such actions are rare here (about {} a day)", ""),
    Feature("rare_sign", 1, 0.6, "signs as grave as this one are rare here", ""),
    Feature("common_sign", -1, -0.5, "", "such alerts or reports are frequent here"),
    Feature("unrecovered", -1, -0.8, "", "this alert usually reports its recovery, and did not"),
    Feature("shared_words", 1, 0.8, "hazard and action share a telling word", ""),
    Feature("deadline", 1, 1.5, "the deadline was near", "the deadline was far away"),
    Feature("thin", 1, 0.7, "little margin was left", ""),
    Feature("begun", 1, 1.3, "the change started after the hazard", "the change was already in progress"),
    Feature("caused", 1, 1.2, "the hazard followed the change that was undone", ""),
    Feature("unknown_service", -1, -1.0, "", "the catalogue joins the service to nothing that users see"),
    Feature("usual_pairing", -1, -0.7, "", "such actions often follow such alerts here"),
    Feature("familiar", -1, -0.8, "", "such actions are everyday work here, alert or not"),
    Feature("announced", -1, -1.5, "", "it was announced beforehand"),
    Feature("unprompted", -1, -1.0, "", "the flag went off with nothing amiss, as at the end of an experiment"),
    Feature("done_elsewhere", 1, 1.5, "the same person then did it to another target", ""),
    Feature("net_rate", -1, -1.0, "", "many such candidates here (about {} a day)"),
    Feature("learning", -1, -0.5, "", "first two weeks: base rates are not known yet"),
    Feature("act_names_trouble", 1, 1.0, "the action names the trouble it answers", ""),
    Feature("sign_names_trouble", 1, 0.8, "the words name something wrong", "the words name nothing wrong"),
    Feature("called_harmless", -1, -1.2, "", "a person called it harmless"),
    Feature("confirmed", 1, 0.8, "the reporter commented again afterwards", ""),
    Feature("recognised", 1, 2.0, "matched rule: {}", ""),
)

FEATURES: dict[str, Feature] = {feature.name: feature for feature in _TABLE}


class Vector(dict[str, float]):
    """Feature values by name; what is absent is zero."""

    def raise_to(self, name: str, value: float) -> None:
        """Several observations speak for one feature: the strongest counts."""
        if value > self.get(name, 0.0):
            self[name] = value


def reason_of(name: str, value: float, weight: float, detail: str) -> Reason:
    feature = FEATURES[name]
    added = value * weight
    words = feature.raises if added > 0 else feature.lowers
    return Reason(name, round(added, 2), words.replace("{}", detail) if words else name.replace("_", " "))
