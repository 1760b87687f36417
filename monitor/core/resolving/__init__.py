"""What a tool said becomes what happened: services, environments, severities and people as the organisation has them.

Pure: decides by the event and the catalogue alone. The journal keeps the tool's own words.
"""
