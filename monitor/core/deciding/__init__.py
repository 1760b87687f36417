"""Events in, decisions out: candidates, episodes, the verdict, the draft."""
