"""How people and programs prove who they are: sessions, OpenID Connect, a proxy, tokens."""
