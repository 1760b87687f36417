"""The pure core: it decides. Events and ticks in, new state and decisions out; no I/O and no clock.

Five packages, each of which may import those before it: `model` (values: events, rules, the record, reasons),
`matching` (which steps one event satisfies), `state` (what is remembered), `deciding` (the engine, the verdict, the
draft), `sharding` (several engines under one watermark).

Read in this order: `model.events`, `model.near_miss`, `model.reasons`, `model.rule`, `model.catalogue`,
`deciding.impact` (the verdict), `state.episodes` (one real event, one draft), `deciding.engine`, `model.decisions`.
"""
