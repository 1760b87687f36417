"""How likely it is that an act averted harm: signs in reach, evidence for and against, base rates, a probability.

Knows nothing of rules, impact or drafts; those weigh with what this package finds.
"""
