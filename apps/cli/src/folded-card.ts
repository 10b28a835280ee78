/** As a scan's card is hashed, so that the audit's lines about one card have one hash. */
export const foldedCard = (card: string): string => card.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
