"""Files of services, in our own form or as entities of Backstage → one catalogue."""
