"""Words for users who suffer in languages besides English; an organisation adds its own in `impact_notes`.

German, French, Spanish, Portuguese, Italian, Dutch and Polish, as people write them in chat: with and without accents.
"""

from __future__ import annotations

USERS = (
    r"kund(?:e|en|innen)|nutzer(?:innen)?|benutzer|anwender(?:innen)?|fahrg[aä]ste?|sch[uü]ler|patient(?:en|innen)|gäste|"
    r"client(?:s|es)|clientes|usuarios?|usu[aá]rios?|utilisateurs?|usagers?|abonn[eé]s|voyageurs|passagers|"
    r"clienti|utenti|pazienti|passeggeri|pasajeros|alumnos|alunos|passageiros|"
    r"klant(?:en)?|gebruikers?|reizigers|leerlingen|klien(?:t|ci|tów|tow)|u[zż]ytkowni(?:k|cy|ków|kow)"
)
"""Those for whom services are there."""
HARMED = (
    r"geht nicht|gehen nicht|ging nicht|funktionier(?:t|en|te) nicht|l[aä]dt nicht|k[oö]nn(?:en|ten?) (?:sich )?nicht|"
    r"kann nicht|kommen nicht|st[oö]rung|ausfall|ausgefallen|abgest[uü]rzt|abgebrochen|fehlermeldung(?:en)?|"
    r"beschwer(?:t|en|de|den)|ne (?:fonctionne|marche|charge|r[eé]pond)\w* (?:pas|plus)|(?:en|une) panne|"
    r"impossible de|n['’ ]?arriv\w+ (?:pas|plus)|"
    r"ne peu(?:t|vent) (?:pas|plus)|hors service|indisponible|plant[eé]|se plai(?:nt|gnent)|r[eé]clam\w+|"
    r"no (?:funciona|carga|responde|pueden?|pudieron|pudo)\w*|ca[ií]do|se cay[oó]|fuera de servicio|se quej\w+|"
    r"n[aã]o (?:funciona|carrega|responde|consegu\w+|abre)|fora do ar|caiu|reclam\w+|"
    r"non (?:funziona\w*|carica|risponde|riesc\w+|va|apre)|fuori servizio|si lament\w+|"
    r"werkt(?:e)? niet|doet het niet|kunnen niet|konden niet|kan niet|laadt niet|storing|klag\w+|"
    r"nie dzia[lł]a\w*|nie mog[aąlł]\w*|nie mo[zż]e|awari\w+|roz[lł][aą]czy[lł]o|skar[zżg]\w+"
)
"""What went wrong for them."""
SPARED = (
    r"kein\w*|niemand|ohne|bevor|bis|wenn|falls|h[aä]tte\w*|k[oö]nnte\w*|w[uü]rde\w*|vielleicht|aucun\w*|personne|sans|avant|si|"
    r"aurai\w*|serai\w*|pourrai\w*|ning[uú]n\w*|nadie|sin|antes|podr[ií]a\w*|habr[ií]a\w*|nenhum\w*|ningu[eé]m|sem|"
    r"poderia\w*|teria\w*|nessun\w*|senza|prima|potrebbe\w*|avrebbe\w*|geen|niemand|zonder|voordat|als|zou\w*|"
    r"[zż]aden|nikt|bez|zanim|je[sś]li|test\w*"
)
"""What makes of a sentence a denial, a guess or a plan."""
