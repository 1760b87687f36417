"""A made-up year of an organisation: its tools write the bodies that vendors send, and our decoders read them.

Pure and seeded: the same shape gives the same events. Who acts is drawn without a look at who was paged, and no story
knows what any rule looks for: what the stories share with the rules is the vocabulary of events alone.
"""
