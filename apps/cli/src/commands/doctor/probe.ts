import type { Consortium, Library } from '@passport/config';
import { passportTypes } from '@passport/patron-rules';
import type { CliDeps } from '../../program/cli-deps.ts';
import { examineeOf } from './examinee.ts';
import { type Probed, probeCard } from './probe-card.ts';
import { openKohas } from '../../connect/koha-clients.ts';
import type { Report } from '../../program/report.ts';
import { openLog } from '../../program/open-log.ts';

export interface ProbeWish {
  readonly consortium: Consortium;
  /** Those that were named on the command line; all that are enabled otherwise. */
  readonly libraries: readonly Library[];
  readonly isNamed: boolean;
  readonly card: string;
  readonly barcode: string | null;
}

/** As the worker does: a card is not looked up at a library whose patterns do not match it, unless the operator names the library. */
const isQueried = ({ cards }: Library, { isNamed, card }: ProbeWish): boolean =>
  isNamed || cards.length === 0 || cards.some((pattern) => pattern.test(card));

async function probe(wish: ProbeWish, deps: CliDeps): Promise<Probed[]> {
  const { consortium, libraries, card, barcode } = wish;
  const queried = libraries.filter((library) => isQueried(library, wish));
  const kohas = openKohas(queried, deps);
  try {
    const examinees = queried.map((library) => examineeOf(library, kohas.of(library.id), consortium, deps));
    const probed = await probeCard(examinees, { card, barcode, passportTypes: passportTypes(consortium) });
    return libraries.map(
      (library): Probed =>
        probed.find((each) => each.library === library) ?? {
          library,
          steps: null,
          holds: 'unknown',
          findings: [],
        },
    );
  } finally {
    kohas.close();
  }
}

function print(all: readonly Probed[], { line, colors }: Report): void {
  for (const { library, steps, findings } of all) {
    const silent = steps === null ? ': not queried, its card patterns do not match' : '';
    line(`${colors.bold(library.id)} ${colors.dim(library.name)}${silent}`);
    for (const { query, result, ms, status, said, failed } of steps ?? []) {
      const shown = failed ? colors.red(result) : result;
      const cost = status === null && ms === 0 ? '' : ` ${colors.dim(`${status ?? 'no answer'}, ${ms} ms`)}`;
      line(`  ${query.padEnd(20)}${shown}${cost}`);
      if (said !== null) line(`    ${colors.dim('answered:')} ${said}`);
    }
    for (const { level, code, problem, remedy } of findings) {
      line(`  ${level === 'fault' ? colors.red('fault') : colors.dim('not checked')} ${code}: ${problem}`);
      line(`    ${colors.dim('→')} ${remedy}`);
    }
  }
  const homes = all.filter(({ holds }) => holds === 'home_record').map(({ library }) => library.id);
  line(homes.length === 0 ? 'no home library' : `home library: ${homes.join(', ')}`);
}

/** `doctor --probe`: exit code 1 when a look-up failed, or a library certainly hides patrons from us. */
export async function runProbe(wish: ProbeWish, report: Report, deps: CliDeps): Promise<0 | 1> {
  const all = await probe(wish, deps);
  const queried = all.filter(({ steps }) => steps !== null).map(({ library }) => library.id);
  // Somebody looks at one person's record at other libraries: that is kept, without the card.
  openLog(deps).info(
    { audit: true, action: 'probe', by: deps.user, asked: queried },
    'card looked up by an operator',
  );
  print(all, report);
  const failed = all.some(
    ({ steps, findings }) =>
      (steps ?? []).some((step) => step.failed) || findings.some(({ level }) => level === 'fault'),
  );
  report.json({
    ok: !failed,
    libraries: all.map(({ library, steps, holds, findings }) => ({
      id: library.id,
      queried: steps !== null,
      holds,
      steps: steps ?? [],
      findings,
    })),
  });
  return failed ? 1 : 0;
}
