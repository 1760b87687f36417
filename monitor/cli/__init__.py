"""The command line: one file a command. Knows how to ask and how to answer; what is asked is done by other layers."""
