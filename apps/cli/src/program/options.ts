import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '@passport/config';
import { WrongUse } from './failure.ts';

/** `--at L`, which has to be given. */
export const atLibrary = (description: string): Option =>
  new Option('--at <library>', description).makeOptionMandatory();

/** `--apply`, without which a command only plans. */
export const applyOption = (): Option => new Option('--apply', 'do it');

/** Parses a duration, in milliseconds. */
export function durationOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('It is not a duration such as 30s, 2m or 2h.');
  return ms;
}

/** Parses a whole number from 1 on. */
export const numberUpTo =
  (most: number, what = 'number') =>
  (text: string): number => {
    if (/^[1-9]\d{0,5}$/.test(text) && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`It is not a ${what} from 1 to ${most}.`);
  };

/** What is read from standard input only: an argument would show in process lists and in the shell's history, and is not repeated. */
export const onlyInput =
  (flag: string, what: string) =>
  (value: string): string => {
    if (value === '-') return value;
    throw new WrongUse(
      `${flag} accepts only -: pass the ${what} on standard input, where nobody else can see it`,
    );
  };

/** `--card -`: the only place a card is taken from. */
export const cardFromInput = (): Option =>
  new Option('--card <->', 'the card number: always -, the first line of standard input')
    .argParser(onlyInput('--card', 'card'))
    .makeOptionMandatory();
