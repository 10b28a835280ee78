/** Words from which titles of books that nobody wrote are put together. */
export const titlePatterns = [
  'The {adjective} {thing}',
  'A {thing} for {name}',
  '{name} and the {adjective} {thing}',
  'Letters from the {thing}',
  'How to Repair a {thing}',
  'The {thing} at {place}',
  'Notes on a {adjective} {thing}',
  '{place}: a history',
] as const;

export const adjectives =
  'Amber Borrowed Careful Distant Early Forgotten Gentle Hollow Late Patient Quiet Salted Uneven'.split(' ');
export const things =
  'Almanac Bicycle Compass Ferry Garden Harbour Kiln Lantern Orchard Piano Sparrow Telegraph Weir'.split(' ');
export const places = [
  'Ossery Bridge',
  'Tallow Hill',
  'Brackwater',
  'Upper Linden',
  'the Salt Road',
  'Pennard Fen',
];
export const names = 'Ada Bruno Cosima Dag Elif Farid Greta Hana Ilse Jun Kofi Lena Malik Noor'.split(' ');
