"""The pure core: it decides. Events and ticks in, new state and decisions out; no I/O and no clock.

Read in this order: `events` (what can happen), `near_miss` (the record), `reasons` (every named "no"), `rule` and
`conditions` (what is looked for), `catalogue` (who depends on whom), `impact` (the verdict), `episodes` (one real
event, one draft), `engine` (the one algorithm), `decisions` (what it asks for).
"""
