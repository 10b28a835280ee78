import regjsparser, { type RootNode } from 'regjsparser';

const SYNTAX = { lookbehind: true, namedGroups: true, unicodePropertyEscape: true } as const;
type Node = RootNode<typeof SYNTAX>;

/** Koha's longest. */
const LONGEST_CARD = 32;
/** A pattern as libraries write them has one shape, or some dozens. Of more, the shortest are looked at. */
const MOST_SHAPES = 100;
/** Ways to lay the shapes of two patterns over one another. */
const MOST_TRIES = 3_000;
const PRINTABLE = Array.from({ length: 0x7f - 0x21 }, (_, place) => String.fromCodePoint(0x21 + place));
/** Digits first, so that the card that is found looks like one. A letter of another alphabet stands for all of them. */
const CHARACTERS = [...new Set([...'0123456789', ...PRINTABLE, ' ', 'é'])].join('');

/** One way in which a card can fit a pattern, or a part of one. */
interface Shape {
  /** All characters that may be at each place. */
  readonly places: readonly string[];
  /** Whether the card begins and ends with it; else there may be anything before and behind it. */
  readonly begins: boolean;
  readonly ends: boolean;
}

const EMPTY: Shape = { places: [], begins: false, ends: false };
const shapeOf = (characters: string): Shape => ({ ...EMPTY, places: [characters] });

const lengthOf = ({ places }: Shape): number => places.length;

/** Each of `heads` with each of `tails` behind it, the shortest first. */
function join(heads: readonly Shape[], tails: readonly Shape[]): readonly Shape[] {
  const joined: Shape[] = [];
  for (let length = 0; length <= LONGEST_CARD; length += 1) {
    for (const head of heads) {
      for (const tail of tails) {
        if (lengthOf(head) + lengthOf(tail) !== length) continue;
        if ((head.ends && lengthOf(tail) > 0) || (tail.begins && lengthOf(head) > 0)) continue;
        if (joined.length === MOST_SHAPES) return joined;
        const [begins, ends] = [head.begins || tail.begins, head.ends || tail.ends];
        joined.push({ places: [...head.places, ...tail.places], begins, ends });
      }
    }
  }
  return joined;
}

const unite = (...lists: (readonly Shape[])[]): readonly Shape[] =>
  lists
    .flat()
    .sort((one, other) => lengthOf(one) - lengthOf(other))
    .slice(0, MOST_SHAPES);

function repeat(body: readonly Shape[], min: number, max: number): readonly Shape[] {
  let repeated: readonly Shape[] = [EMPTY];
  for (let count = 0; count < min && repeated.length > 0; count += 1) repeated = join(repeated, body);
  let found = repeated;
  for (let count = min; count < Math.min(max, LONGEST_CARD) && repeated.length > 0; count += 1) {
    repeated = join(repeated, body);
    found = unite(found, repeated);
  }
  return found;
}

/** What looks around or requires the edge of a word is taken as true: the card that is found is tried in the end. */
function shapesOf(node: Node): readonly Shape[] {
  switch (node.type) {
    case 'alternative':
      return node.body.map(shapesOf).reduce(join, [EMPTY]);
    case 'disjunction':
      return unite(...node.body.map(shapesOf));
    case 'group':
      return node.behavior === 'normal' || node.behavior === 'ignore'
        ? node.body.map(shapesOf).reduce(join, [EMPTY])
        : [EMPTY];
    case 'quantifier':
      return repeat(shapesOf(node.body[0]), node.min, node.max ?? LONGEST_CARD);
    case 'anchor':
      return [{ ...EMPTY, begins: node.kind === 'start', ends: node.kind === 'end' }];
    case 'reference':
      return repeat([shapeOf(CHARACTERS)], 0, LONGEST_CARD);
    case 'value':
      return [shapeOf(String.fromCodePoint(node.codePoint))];
    case 'characterClass':
    case 'characterClassEscape':
    case 'unicodePropertyEscape':
    case 'dot': {
      const atom = new RegExp(`^(?:${node.raw})$`, 'u');
      return [shapeOf([...CHARACTERS].filter((character) => atom.test(character)).join(''))];
    }
    default:
      return node satisfies never;
  }
}

const known = new WeakMap<RegExp, readonly Shape[]>();

function shapesOfPattern(pattern: RegExp): readonly Shape[] {
  const found = known.get(pattern) ?? parseShapes(pattern);
  known.set(pattern, found);
  return found;
}

function parseShapes(pattern: RegExp): readonly Shape[] {
  const node = parse(pattern);
  return node === null ? [] : shapesOf(node);
}

/** Null: a pattern that V8 takes and the parser does not, which nobody writes for card numbers. */
function parse({ source }: RegExp): Node | null {
  try {
    return regjsparser.parse(source, 'u', SYNTAX);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * Whether all cards of a pattern are looked at: its shapes are few, and nothing in it is only taken as true. Of any other, a card that it
 * has in common with another pattern may not be found.
 */
export function isComparable(pattern: RegExp): boolean {
  const node = parse(pattern);
  return node !== null && mostShapes(node) < MOST_SHAPES;
}

/** How many shapes are written out at any time for a pattern, at most. */
function mostShapes(node: Node): number {
  const all = (nodes: readonly Node[]): number =>
    nodes.reduce((product, each) => product * mostShapes(each), 1);
  switch (node.type) {
    case 'alternative':
      return all(node.body);
    case 'disjunction':
      return node.body.reduce((sum, each) => sum + mostShapes(each), 0);
    case 'group':
      return node.behavior === 'normal' || node.behavior === 'ignore' ? all(node.body) : Infinity;
    case 'quantifier': {
      const body = mostShapes(node.body[0]);
      const most = Math.min(node.max ?? LONGEST_CARD, LONGEST_CARD);
      let sum = 0;
      for (let count = node.min; count <= most; count += 1) sum += body ** count;
      return sum;
    }
    case 'anchor':
      return node.kind === 'start' || node.kind === 'end' ? 1 : Infinity;
    case 'reference':
      return Infinity;
    default:
      return 1;
  }
}

/** How far behind the first of two shapes the second must begin at least, and may at most, by the ends of the card. */
const firstShift = (one: Shape, other: Shape): number =>
  Math.max(one.begins ? 0 : -lengthOf(other), other.ends ? lengthOf(one) - lengthOf(other) : -LONGEST_CARD);
const lastShift = (one: Shape, other: Shape): number =>
  Math.min(other.begins ? 0 : lengthOf(one), one.ends ? lengthOf(one) - lengthOf(other) : LONGEST_CARD);

function commonCharacter(here: string, there: string): string | undefined {
  if (here === there || there === CHARACTERS) return here[0];
  if (here === CHARACTERS) return there[0];
  for (const character of here) if (there.includes(character)) return character;
  return undefined;
}

/** A card that fits both shapes, the second one so many places behind the first one; null: there is none. */
function overlay(one: Shape, other: Shape, shift: number): string | null {
  const from = Math.min(0, shift);
  const until = Math.max(lengthOf(one), shift + lengthOf(other), from + 1);
  let card = '';
  for (let place = from; place < until; place += 1) {
    const [here, there] = [one.places[place] ?? CHARACTERS, other.places[place - shift] ?? CHARACTERS];
    const common = commonCharacter(here, there);
    if (common === undefined) return null;
    card += common;
  }
  return card.length > LONGEST_CARD ? null : card;
}

/**
 * Looks for a card that two patterns both fit: lays their shapes over one another in each way that the ends of the card allow, and
 * takes a character of each place that both have. What it returns was tried with the patterns themselves. Null: it found none, though
 * in rare cases there is one (docs/decisions/0020-card-patterns.md).
 */
export function findCommonCard(one: RegExp, other: RegExp): string | null {
  const pairs = shapesOfPattern(one)
    .flatMap((here) =>
      shapesOfPattern(other)
        .filter((there) => firstShift(here, there) <= lastShift(here, there))
        .map((there) => [here, there] as const),
    )
    .sort(([a, b], [c, d]) => lengthOf(a) + lengthOf(b) - lengthOf(c) - lengthOf(d));
  let tries = 0;
  for (const [here, there] of pairs) {
    for (let shift = firstShift(here, there); shift <= lastShift(here, there); shift += 1) {
      if ((tries += 1) > MOST_TRIES) return null;
      const card = overlay(here, there, shift);
      if (card !== null && one.test(card) && other.test(card)) return card;
    }
  }
  return null;
}

/** At most so many of a pattern, from its shortest shape to its longest. */
const MOST_EXAMPLE_SHAPES = 4;

/**
 * Cards that fit a pattern: of some of its shapes one of the first characters of each place, one of the last, and one of each in turn.
 * Each was tried with the pattern; none is taken from a person.
 */
export function exampleCards(pattern: RegExp): readonly string[] {
  const found = examples.get(pattern) ?? makeExamples(pattern);
  examples.set(pattern, found);
  return found;
}

const examples = new WeakMap<RegExp, readonly string[]>();

function makeExamples(pattern: RegExp): readonly string[] {
  const shapes = shapesOfPattern(pattern).filter((shape) => lengthOf(shape) > 0);
  const step = Math.max(1, Math.ceil(shapes.length / MOST_EXAMPLE_SHAPES));
  const at = (places: readonly string[], isLast: (place: number) => boolean): string =>
    places.map((characters, place) => characters.at(isLast(place) ? -1 : 0) ?? '').join('');
  const cards = shapes
    .filter((_, index) => index % step === 0)
    .flatMap(({ places }) => [
      at(places, () => false),
      at(places, () => true),
      at(places, (place) => place % 2 === 1),
    ]);
  return [...new Set(cards)].filter((card) => pattern.test(card));
}
