"""The pure core: it decides. Events and ticks in, new state and decisions out; no I/O and no clock.

Seven packages, each of which may import those before it: `model` (values: events, rules, the record, reasons),
`resolving` (the organisation's names and words), `matching` (which steps one event satisfies), `weighing` (what speaks
for a rescue), `state` (what is remembered), `deciding` (the engine, the verdict, the draft), `sharding` (several
engines under one watermark).

Read in this order: `model.events`, `model.near_miss`, `model.reasons`, `model.rule`, `model.catalogue`,
`deciding.verdict`, `state.episodes` (one real event, one draft), `deciding.engine`, `model.decisions`.
"""
