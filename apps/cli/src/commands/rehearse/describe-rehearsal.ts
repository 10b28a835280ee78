import type { Report } from '../../program/index.ts';
import { countOf, isGood, type Rehearsal, type Times } from './result.ts';

const COLUMNS = 80;

/** A text in lines that a terminal of 80 columns shows whole, each after the first indented like it. */
function wrapped(text: string, indent = ''): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    const longer = line.trim() === '' ? `${indent}${word}` : `${line} ${word}`;
    if (longer.length <= COLUMNS || line.trim() === '') line = longer;
    else {
      lines.push(line);
      line = `${indent}${word}`;
    }
  }
  return [...lines, line];
}

const WORDS = { held: 'held', differs: 'DIFFERS', not_tried: 'not tried' } as const;
const NAMES = { lending: 'lending', home: 'home', second_home: 'second home' } as const;

const timesText = (what: string, times: Times | null): string =>
  times === null
    ? `${what}: none`
    : `${what}: ${times.count}, median ${times.median} ms, 95 % ${times.p95} ms, longest ${times.max} ms`;

/** The result in one sentence. */
export function summaryOf(rehearsal: Rehearsal): string {
  const { answers, cleanUp } = rehearsal;
  const parts = [
    `${countOf(rehearsal, 'held')} held`,
    `${countOf(rehearsal, 'differs')} differ`,
    `${countOf(rehearsal, 'not_tried')} not tried`,
    `${answers.length} ${answers.length === 1 ? 'answer' : 'answers'} unlike the stand-in's`,
    `${cleanUp.removed} removed, ${cleanUp.stuck.length} left over`,
  ];
  return parts.join('; ');
}

/** Prints a rehearsal, 80 columns wide. */
export function printRehearsal(rehearsal: Rehearsal, { line, colors }: Report): void {
  const print = (text: string, indent = ''): void => wrapped(text, indent).forEach((each) => line(each));
  for (const { side, library, koha, plugin, comparedWith, isOwnRelease } of rehearsal.sites) {
    const compared = isOwnRelease
      ? `compared with ${comparedWith}`
      : `of a release that is not known; compared with ${comparedWith}`;
    print(`${NAMES[side]} ${library}: Koha ${koha ?? 'unknown'}, plugin ${plugin ?? 'none'}, ${compared}`);
  }
  line();
  for (const { id, says, result, differences, remarks, why } of rehearsal.scenarios) {
    const word = WORDS[result].padEnd(10);
    const styled =
      result === 'held' ? colors.green(word) : result === 'differs' ? colors.red(word) : colors.dim(word);
    line(`${styled}${colors.bold(id)}`);
    print(says, '  ');
    for (const difference of differences) print(`- ${difference}`, '    ');
    for (const remark of remarks) print(`(${remark})`, '    ');
    if (why !== null) print(`(${why})`, '    ');
  }
  line();
  if (rehearsal.answers.length > 0) line("answers that are unlike the stand-in's:");
  for (const { side, scenario, text } of rehearsal.answers)
    print(`- ${NAMES[side]}${scenario === null ? '' : `, ${scenario}`}: ${text}`, '  ');
  print(timesText('scans, from the report to the end', rehearsal.times.scans));
  print(timesText('calls to the Kohas', rehearsal.times.calls));
  for (const left of rehearsal.cleanUp.leftAlone)
    print(`left alone, since it is not certainly of a rehearsal: ${left}`);
  for (const left of rehearsal.cleanUp.stuck) print(`could not be removed: ${left}`);
  print(summaryOf(rehearsal));
  if (!isGood(rehearsal)) print(`to repeat it: ${rehearsal.command}`);
}
