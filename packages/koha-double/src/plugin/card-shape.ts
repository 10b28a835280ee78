/** A digit somewhere and no blanks: a name typed into the same box is not taken for a card. As the plugin's default. */
export const defaultPattern = '^(?=.*[0-9])[0-9A-Za-z._-]{4,32}$';

const controlCharacter = /\p{Cc}/u;

/** Whether what was scanned or typed is shaped like a card; names must not leave this Koha. */
export function isCardShaped(text: string, patterns: readonly string[]): boolean {
  const card = text.trim();
  if (card === '' || card.length > 32 || controlCharacter.test(card)) return false;
  return patterns.some((pattern) => matches(card, pattern));
}

function matches(card: string, pattern: string): boolean {
  try {
    return new RegExp(pattern).test(card);
  } catch {
    return false;
  }
}
