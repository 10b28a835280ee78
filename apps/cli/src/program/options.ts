import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '@passport/config';
import { WrongUse } from './failure.ts';

/** Makes an option of its name (`withLate` is `--with-late`); `T` is what a command gets for it. */
export type OptionDraft<T> = ((name: string) => Option) & { readonly given?: { readonly value: T } };

/** The options of a command by their names. */
export type OptionDrafts = Readonly<Record<string, OptionDraft<unknown>>>;

/** What a command gets of its options. */
export type OptionValues<O extends OptionDrafts> = {
  readonly [K in keyof O]: O[K] extends OptionDraft<infer T> ? T : never;
};

/** An option with a value, such as `<library>`, or without; `refine` says what else commander is to know. */
export const option =
  <T>(
    value: string,
    description: string,
    refine: (made: Option) => Option = (made) => made,
  ): OptionDraft<T> =>
  (name) => {
    const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return refine(new Option(`--${flag} ${value}`.trimEnd(), description));
  };

/** An option without a value; never together with the one named in `conflicts`. */
export const flag = (description: string, conflicts: string[] = []): OptionDraft<true | undefined> =>
  option('', description, (made) => made.conflicts(conflicts));

/** An option with a value. */
export const optional = (value: string, description: string): OptionDraft<string | undefined> =>
  option(value, description);

/** An option that has to be given. */
export const required = (value: string, description: string): OptionDraft<string> =>
  option(value, description, (made) => made.makeOptionMandatory());

/** One of these words. */
export const choice = <T extends string>(
  value: string,
  description: string,
  choices: readonly T[],
): OptionDraft<T | undefined> => option(value, description, (made) => made.choices(choices));

/** As `choice`, of several. */
export const choices = <T extends string>(
  value: string,
  description: string,
  all: readonly T[],
): OptionDraft<readonly T[] | undefined> => option(value, description, (made) => made.choices(all));

/** A value that is read by `parse`, which throws InvalidArgumentError. */
export const parsed = <T>(
  value: string,
  description: string,
  parse: (given: string) => T,
): OptionDraft<T | undefined> => option(value, description, (made) => made.argParser(parse));

/** As `parsed`, with a value where none is given, and how help shows it. */
export const parsedOr = <T>(
  value: string,
  description: string,
  parse: (given: string) => T,
  [fallback, shown]: readonly [value: T, shown?: string],
): OptionDraft<T> => option(value, description, (made) => made.default(fallback, shown).argParser(parse));

/** `--apply`, without which a command only plans. */
export const applyOption = (): OptionDraft<true | undefined> => flag('do it');

/** Parses a duration, in milliseconds. */
export function durationOf(given: string): number {
  const ms = parseDuration(given);
  if (ms === null) throw new InvalidArgumentError('It is not a duration such as 30s, 2m or 2h.');
  return ms;
}

/** Parses a whole number from 1 on. */
export const numberUpTo =
  (most: number, what = 'number') =>
  (given: string): number => {
    if (/^[1-9]\d{0,5}$/.test(given) && Number(given) <= most) return Number(given);
    throw new InvalidArgumentError(`It is not a ${what} from 1 to ${most}.`);
  };

/** A value that is read from standard input only: an argument would show in process lists and in the shell's history. Not repeated. */
export const onlyInput =
  (what: string, description: string): OptionDraft<'-' | undefined> =>
  (name) =>
    new Option(`--${name} <->`, description).argParser((given: string) => {
      if (given === '-') return given;
      throw new WrongUse(
        `--${name} accepts only -: pass the ${what} on standard input, where nobody else can see it`,
      );
    });

/** `--card -`: the only place a card is taken from. */
export const cardFromInput = (): OptionDraft<unknown> => (name) =>
  onlyInput(
    'card',
    'the card number: always -, the first line of standard input',
  )(name).makeOptionMandatory();
