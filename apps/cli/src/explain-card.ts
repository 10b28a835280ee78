import { Option } from 'commander';
import type { Consortium, Library } from '@passport/config';
import { loadConsortium } from '@passport/config';
import { KohaError } from '@passport/koha-client';
import type { Explanation } from '@passport/verdict';
import { explain, readAnswer } from '@passport/verdict';
import type { CliDeps } from './cli-deps.ts';
import type { CommandDraft } from './command.ts';
import { atLibrary, cardFromInput } from './command.ts';
import { describeExplanation, outcomeOf } from './describe-explanation.ts';
import { Failure, WrongUse } from './failure.ts';
import { branchOf, findLibrary } from './find-library.ts';
import { openKohas } from './koha-clients.ts';
import { localDay } from './local-time.ts';
import { readLines } from './read-lines.ts';

interface Asked {
  readonly consortium: Consortium;
  readonly lending: Library;
  readonly card: string;
  readonly branch: string;
}

async function ask({ consortium, lending, card, branch }: Asked, deps: CliDeps): Promise<Explanation> {
  const kohas = openKohas(consortium.libraries, deps);
  const here = kohas.of(lending.id);
  const { signal } = deps;
  const { homeKeyAttribute } = lending.copy;
  const balance = lending.eligibility.maxDebt !== null;
  try {
    return await explain({
      consortium,
      lendingId: lending.id,
      card,
      branch,
      scannedOn: localDay(deps.now()),
      signal,
      ask: (id, wanted, limit) =>
        readAnswer(kohas.of(id).findByCard(wanted, { attributes: true, balance }, { signal: limit })),
      patronProperties: async () => (await here.capabilities({ signal })).patronProperties,
      isGone: async (id, patronId) => {
        const patron = await kohas.of(id).readPatron(patronId, { signal });
        return patron === null || patron.anonymized === true;
      },
      lookLocally: async (homeKey) => {
        const [byCard, byHomeKey] = await Promise.all([
          here.findByCard(card, { attributes: true, balance: false }, { signal }),
          homeKeyAttribute === null ? [] : here.findByAttribute(homeKeyAttribute, homeKey, { signal }),
        ]);
        return { byCard, byHomeKey };
      },
    });
  } catch (error) {
    if (!(error instanceof KohaError)) throw error;
    const { library, operation, code, permission } = error;
    throw new Failure(`${error.message}; \`passport doctor ${library}\` says more`, {
      library,
      operation,
      code,
      permission,
    });
  } finally {
    kohas.close();
  }
}

export const explainCard: CommandDraft<{ at: string; branch?: string }> = {
  name: 'explain',
  summary: 'say what would become of a card, and write nothing',
  description:
    'Makes the decisions of the worker for a card that is scanned at a library now: who is asked, where it is at home, the ' +
    'verdict, and the fields that would be copied, by name. Reads from the Kohas and writes nothing. ' +
    'The card comes from standard input, so that it is in no process list and no history.',
  examples: [
    'passport explain --at riverside --card -          (type the card, then Enter)',
    'passport explain --at riverside --branch NORTH --card - < card.txt',
  ],
  options: [
    atLibrary('the lending library, where the card is scanned'),
    cardFromInput(),
    new Option(
      '--branch <code>',
      "the branch of the scan; default: the fixed branch of the library's copies, or MAIN",
    ),
  ],
  run: async ({ at, branch }, _args, report, deps): Promise<0 | 1> => {
    const consortium = loadConsortium(deps.env, deps.readFile);
    const lending = findLibrary(consortium, at);
    if (!consortium.agreements.some((agreement) => agreement.lending === at)) {
      throw new WrongUse(`no agreement lets ${at} lend to anybody`);
    }
    const [card = ''] = await readLines(deps, ['card']);
    const explanation = await ask({ consortium, lending, card, branch: branch ?? branchOf(lending) }, deps);
    const outcome = outcomeOf(explanation);
    report.json({ outcome, ...explanation });
    for (const line of describeExplanation(explanation, outcome, consortium, report.colors))
      report.line(line);
    return 0;
  },
};
