export { alignRows, nameRows } from './align-rows.ts';
export type { CliDeps } from './cli-deps.ts';
export { defineCommand } from './command.ts';
export { Failure, WrongUse } from './failure.ts';
export { branchOf, findLibrary } from './find-library.ts';
export { localDay, localTimestamp } from './local-time.ts';
export {
  applyOption,
  cardFromInput,
  choice,
  choices,
  durationOf,
  flag,
  numberUpTo,
  onlyInput,
  option,
  type OptionValues,
  parsed,
  parsedOr,
  required,
  optional,
} from './options.ts';
export { readLines } from './read-lines.ts';
export type { Report } from './printed-text.ts';
