import regjsparser, { type RootNode } from 'regjsparser';

interface Syntax {
  readonly lookbehind: true;
  readonly namedGroups: true;
  readonly unicodePropertyEscape: true;
}
type Node = RootNode<Syntax>;

/** What has to hold for a step: the next character is one of `atom`, the text begins or ends here, or nothing. */
type Step =
  | { readonly kind: 'character'; readonly atom: number; readonly to: number }
  | { readonly kind: 'free' | 'start' | 'end'; readonly to: number };

/** A pattern as a machine that reads a text character by character. */
export interface PatternAutomaton {
  readonly start: number;
  readonly end: number;
  readonly stepsFrom: (state: number) => readonly Step[];
  /** For each kind of character of the pattern whether this is one: `1` or `0`. */
  readonly classOf: (character: string) => string;
  /** Characters that the pattern names. */
  readonly named: readonly string[];
}

/** Longer cards are in no Koha, so `{40}` and `{33}` say the same. */
const LONGEST_CARD = 32;
const MOST_STATES = 4_000;

class TooLarge extends Error {}

/** Builds states from the end of the pattern to its beginning: each part is given where to go on. */
class Builder {
  readonly steps: Step[][] = [[]];
  readonly atoms: RegExp[] = [];
  readonly named: string[] = [];
  readonly #places = new Map<string, number>();

  state(...steps: Step[]): number {
    if (this.steps.length >= MOST_STATES) throw new TooLarge();
    return this.steps.push(steps) - 1;
  }

  sequence(parts: readonly Node[], next: number): number {
    return parts.reduceRight((to, part) => this.part(part, to), next);
  }

  /** The state from which `node` and then `next` is read. */
  part(node: Node, next: number): number {
    switch (node.type) {
      case 'alternative':
        return this.sequence(node.body, next);
      case 'disjunction':
        return this.state(...node.body.map((part) => ({ kind: 'free', to: this.part(part, next) }) as const));
      case 'group':
        return node.behavior === 'normal' || node.behavior === 'ignore'
          ? this.sequence(node.body, next)
          : next; // looks around: taken as true, so that nothing that fits is missed
      case 'quantifier':
        return this.repeat(node.body[0], node.min, node.max, next);
      case 'anchor':
        return node.kind === 'start' || node.kind === 'end'
          ? this.state({ kind: node.kind, to: next })
          : next;
      case 'reference':
        return this.repeatAny(next);
      case 'value':
        this.named.push(String.fromCodePoint(node.codePoint));
        return this.character(node.raw, next);
      case 'characterClass':
      case 'characterClassEscape':
      case 'unicodePropertyEscape':
      case 'dot':
        return this.character(node.raw, next);
      default:
        return node satisfies never;
    }
  }

  private character(raw: string, to: number): number {
    let atom = this.#places.get(raw);
    if (atom === undefined) {
      atom = this.atoms.push(new RegExp(`^(?:${raw})$`, 'u')) - 1;
      this.#places.set(raw, atom);
    }
    return this.state({ kind: 'character', atom, to });
  }

  private repeat(body: Node, min: number, max: number | undefined, next: number): number {
    let to = next;
    if (max === undefined || max > LONGEST_CARD) {
      const again = this.state({ kind: 'free', to: next });
      this.steps[again]?.push({ kind: 'free', to: this.part(body, again) });
      to = again;
    } else {
      for (let count = min; count < max; count += 1) {
        to = this.state({ kind: 'free', to: next }, { kind: 'free', to: this.part(body, to) });
      }
    }
    for (let count = 0; count < Math.min(min, LONGEST_CARD + 1); count += 1) to = this.part(body, to);
    return to;
  }

  private repeatAny(next: number): number {
    const again = this.state({ kind: 'free', to: next });
    this.steps[again]?.push({ kind: 'free', to: this.character('[^]', again) });
    return again;
  }
}

/**
 * The machine of a pattern; null for one that is too large. It reads every text that the pattern fits, and more only where the
 * pattern looks around, requires the edge of a word or repeats what it has read.
 */
export function buildAutomaton(pattern: RegExp): PatternAutomaton | null {
  try {
    const syntax = { lookbehind: true, namedGroups: true, unicodePropertyEscape: true } as const;
    const builder = new Builder();
    const start = builder.part(regjsparser.parse<Syntax>(pattern.source, 'u', syntax), 0);
    const { steps, atoms, named } = builder;
    const classes = new Map<string, string>();
    return {
      start,
      end: 0,
      stepsFrom: (state) => steps[state] ?? [],
      classOf: (character) => {
        const known = classes.get(character);
        if (known !== undefined) return known;
        const found = atoms.map((atom) => (atom.test(character) ? '1' : '0')).join('');
        classes.set(character, found);
        return found;
      },
      named,
    };
  } catch (error) {
    // A pattern that V8 takes and the parser does not is none that anybody writes for card numbers.
    if (error instanceof TooLarge || error instanceof SyntaxError) return null;
    throw error;
  }
}
