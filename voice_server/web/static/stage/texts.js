/** What the pages of a show say themselves, in four languages. */

export const TEXTS = {
  fr: {
    ai: "Présenté par une IA", order: "Commander", was: "au lieu de", unsure: "Stock non vérifié", in: "En stock", few: "Plus que {n}", out: "Épuisé",
    flash: "Offre flash", code: "Code", waiting: "{n} question(s) en attente", next: "À suivre : {names}", listen: "Activer le son",
    captions: "Sous-titres", off: "Sans", write: "Votre question…", name: "Votre prénom", send: "Envoyer", chat: "Chat", over: "L'émission est terminée. Merci !",
    lost: "Connexion perdue, nouvel essai…", buy: "Acheter", scan: "Scannez-moi",
    console: "Régie", begin: "Commencer", stop: "Terminer", mute: "Couper", takeover: "Prendre la parole", resume: "Reprendre", say: "Faire dire",
    next_line: "Phrase suivante", report: "Bilan", perminute: "Questions par minute", unmet: "Restées sans réponse", expired: "expirée", skipped: "ignorée", taken: "en attente", host: "en attente", sheet: "Conducteur", queue: "Questions", approve: "Répondre", skip: "Ignorer", pin: "Épingler", jump: "Aller ici", forhost: "Pour vous", empty: "Aucune question pour l'instant.",
    onair: "À l'antenne", viewers: "{n} spectateur(s)", stoppable: "Terminer l'émission ?", hidden: "masqué", answered: "{a} réponses, {q} questions", sources: "Sources",
    unknown: "les faits ne le disent pas", private: "concerne une commande", complaint: "réclamation", human: "demande un humain", slow: "trop lent",
  },
  nl: {
    ai: "Gepresenteerd door AI", order: "Bestellen", was: "in plaats van", unsure: "Voorraad niet nagekeken", in: "Op voorraad", few: "Nog {n}", out: "Uitverkocht",
    flash: "Flashaanbieding", code: "Code", waiting: "{n} vraag/vragen in de wachtrij", next: "Straks: {names}", listen: "Geluid aanzetten",
    captions: "Ondertitels", off: "Geen", write: "Uw vraag…", name: "Uw voornaam", send: "Versturen", chat: "Chat", over: "De uitzending is afgelopen. Bedankt!",
    lost: "Verbinding weg, nieuwe poging…", buy: "Kopen", scan: "Scan mij",
    console: "Regie", begin: "Beginnen", stop: "Afsluiten", mute: "Dempen", takeover: "Zelf spreken", resume: "Hervatten", say: "Laten zeggen",
    next_line: "Volgende zin", report: "Verslag", perminute: "Vragen per minuut", unmet: "Onbeantwoord gebleven", expired: "verlopen", skipped: "overgeslagen", taken: "wachtend", host: "wachtend", sheet: "Draaiboek", queue: "Vragen", approve: "Beantwoorden", skip: "Overslaan", pin: "Vastzetten", jump: "Hierheen", forhost: "Voor u", empty: "Nog geen vragen.",
    onair: "Op antenne", viewers: "{n} kijker(s)", stoppable: "De uitzending afsluiten?", hidden: "verborgen", answered: "{a} antwoorden, {q} vragen", sources: "Bronnen",
    unknown: "de feiten zeggen het niet", private: "gaat over een bestelling", complaint: "klacht", human: "vraagt een mens", slow: "te traag",
  },
  de: {
    ai: "Von einer KI präsentiert", order: "Bestellen", was: "statt", unsure: "Bestand ungeprüft", in: "Auf Lager", few: "Nur noch {n}", out: "Ausverkauft",
    flash: "Blitzangebot", code: "Code", waiting: "{n} Frage(n) warten", next: "Gleich: {names}", listen: "Ton einschalten",
    captions: "Untertitel", off: "Aus", write: "Ihre Frage…", name: "Ihr Vorname", send: "Senden", chat: "Chat", over: "Die Sendung ist zu Ende. Vielen Dank!",
    lost: "Verbindung weg, neuer Versuch…", buy: "Kaufen", scan: "Scannen",
    console: "Regie", begin: "Beginnen", stop: "Beenden", mute: "Stumm", takeover: "Selbst sprechen", resume: "Fortsetzen", say: "Sagen lassen",
    next_line: "Nächster Satz", report: "Bericht", perminute: "Fragen pro Minute", unmet: "Unbeantwortet geblieben", expired: "verfallen", skipped: "übergangen", taken: "wartend", host: "wartend", sheet: "Ablaufplan", queue: "Fragen", approve: "Beantworten", skip: "Übergehen", pin: "Anheften", jump: "Hierher", forhost: "Für Sie", empty: "Noch keine Fragen.",
    onair: "Auf Sendung", viewers: "{n} Zuschauer", stoppable: "Die Sendung beenden?", hidden: "verborgen", answered: "{a} Antworten, {q} Fragen", sources: "Quellen",
    unknown: "steht nicht in den Fakten", private: "betrifft eine Bestellung", complaint: "Beschwerde", human: "möchte einen Menschen", slow: "zu langsam",
  },
  en: {
    ai: "Presented by an AI", order: "Order", was: "instead of", unsure: "Stock not checked", in: "In stock", few: "Only {n} left", out: "Sold out",
    flash: "Flash sale", code: "Code", waiting: "{n} question(s) waiting", next: "Coming up: {names}", listen: "Turn the sound on",
    captions: "Captions", off: "Off", write: "Your question…", name: "Your first name", send: "Send", chat: "Chat", over: "The show is over. Thank you!",
    lost: "Connection lost, trying again…", buy: "Buy", scan: "Scan me",
    console: "Host's desk", begin: "Begin", stop: "End", mute: "Mute", takeover: "Take over", resume: "Resume", say: "Have it said",
    next_line: "Next sentence", report: "Report", perminute: "Questions per minute", unmet: "Not answered", expired: "expired", skipped: "skipped", taken: "waiting", host: "waiting", sheet: "Run-sheet", queue: "Questions", approve: "Answer", skip: "Skip", pin: "Pin", jump: "Go here", forhost: "For you", empty: "No questions yet.",
    onair: "On air", viewers: "{n} viewer(s)", stoppable: "End the show?", hidden: "hidden", answered: "{a} answers, {q} questions", sources: "Sources",
    unknown: "the facts do not say", private: "about an order", complaint: "complaint", human: "wants a human", slow: "too slow",
  },
};

/** A text of the page with its fields filled in. */
export function say(language, key, fields = {}) {
  const text = (TEXTS[language] ?? TEXTS.en)[key] ?? TEXTS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => fields[name] ?? "");
}

/** The language of a page: `?lang=`, else the browser's, else the show's. */
export function pageLanguage(languages = Object.keys(TEXTS)) {
  const asked = new URLSearchParams(location.search).get("lang");
  const wished = [asked, ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wished.find((language) => languages.includes(language)) ?? languages[0];
}
