/** Words of the demo page (the voice button has its own). */

export const TEXTS = {
  en: {
    headline: "Just ask. Out loud.", try: "Try one of these", products: "In the shop", skip: "Skip to the products",
    language: "Language", theme: "Light or dark", from: "from", sale: "Sale", soldOut: "Sold out", said: "Just mentioned",
    ask: "Ask about {name}", question: "Tell me about the {name}.", more: "Show all {count} products",
    offline: "You are offline. The products will be back when you are.",
    embedTitle: "On your own site, in one minute", embedText: "Paste these lines into any page. Your customers press, ask and hear the answer, in French, Dutch, German or English.",
    copy: "Copy", copied: "Copied",
    footer: "A demonstration shop: nothing is really for sale. The voice that answers belongs to an AI assistant, which can make mistakes.",
  },
  fr: {
    headline: "Demandez, à voix haute.", try: "Essayez par exemple", products: "Dans la boutique", skip: "Aller aux produits",
    language: "Langue", theme: "Clair ou sombre", from: "dès", sale: "Promo", soldOut: "Épuisé", said: "On vient d’en parler",
    ask: "Poser une question sur {name}", question: "Parlez-moi de ce produit : {name}.", more: "Voir les {count} produits",
    offline: "Vous êtes hors ligne. Les produits reviendront avec la connexion.",
    embedTitle: "Sur votre site, en une minute", embedText: "Collez ces lignes dans n’importe quelle page. Vos clients appuient, demandent et entendent la réponse, en français, néerlandais, allemand ou anglais.",
    copy: "Copier", copied: "Copié",
    footer: "Boutique de démonstration : rien n’y est vraiment à vendre. La voix qui répond est celle d’un assistant IA, qui peut se tromper.",
  },
  nl: {
    headline: "Vraag het gewoon, hardop.", try: "Probeer bijvoorbeeld", products: "In de winkel", skip: "Naar de producten",
    language: "Taal", theme: "Licht of donker", from: "vanaf", sale: "Promo", soldOut: "Uitverkocht", said: "Net genoemd",
    ask: "Stel een vraag over {name}", question: "Vertel me iets over de {name}.", more: "Toon alle {count} producten",
    offline: "Je bent offline. De producten zijn terug zodra jij dat bent.",
    embedTitle: "Op je eigen site, in één minuut", embedText: "Plak deze regels in eender welke pagina. Je klanten drukken, vragen en horen het antwoord, in het Nederlands, Frans, Duits of Engels.",
    copy: "Kopiëren", copied: "Gekopieerd",
    footer: "Een demowinkel: er is niets echt te koop. De stem die antwoordt is van een AI-assistent, die zich kan vergissen.",
  },
  de: {
    headline: "Fragen Sie einfach laut.", try: "Zum Beispiel", products: "Im Shop", skip: "Zu den Produkten",
    language: "Sprache", theme: "Hell oder dunkel", from: "ab", sale: "Angebot", soldOut: "Ausverkauft", said: "Gerade erwähnt",
    ask: "Frage zu {name} stellen", question: "Erzählen Sie mir etwas über dieses Produkt: {name}.", more: "Alle {count} Produkte zeigen",
    offline: "Sie sind offline. Die Produkte kommen mit der Verbindung zurück.",
    embedTitle: "Auf Ihrer Website, in einer Minute", embedText: "Fügen Sie diese Zeilen in eine beliebige Seite ein. Ihre Kunden drücken, fragen und hören die Antwort, auf Deutsch, Französisch, Niederländisch oder Englisch.",
    copy: "Kopieren", copied: "Kopiert",
    footer: "Ein Demo-Shop: Hier steht nichts wirklich zum Verkauf. Die antwortende Stimme gehört einem KI-Assistenten, der sich irren kann.",
  },
};

/** Put values into the braces of a text. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}
