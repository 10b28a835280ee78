/**
 * Whether two card numbers (or item barcodes) are one: outer blanks and the case of A to Z do not count, nothing else
 * is forgiven; `foldCard` of contract hashes a card by the same case rule, with the blanks that it is given. Koha's database also ignores accents and width, so its matches are compared again with this.
 */
export function sameCard(one: string, other: string): boolean {
  return foldCard(one) === foldCard(other);
}

function foldCard(card: string): string {
  return card.trim().replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
