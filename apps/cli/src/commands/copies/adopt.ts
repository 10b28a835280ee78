import { Option } from 'commander';
import { type Consortium, type Library, explainConfig } from '@passport/config';
import { foldCard } from '@passport/contract';
import type { CliDeps } from '../../program/cli-deps.ts';
import { type CommandDraft, atLibrary } from '../../program/command.ts';
import { WrongUse } from '../../program/failure.ts';
import { findLibrary } from '../../program/find-library.ts';
import { openKohas } from '../../connect/koha-clients.ts';
import { openLog } from '../../program/open-log.ts';
import { createEncryption } from '@passport/runtime';
import { adoptAt, type AdoptFinding, type Adoption } from './adopt-at.ts';
import { copyTypesOf } from './copy-types.ts';
import { goThrough } from './go-through.ts';
import { type Meanings, failedAt, printPlan } from './plan.ts';

const MEANINGS: Meanings<AdoptFinding> = {
  adopt: { good: true, says: 'will get its home key' },
  adopted: { good: true, says: 'has its home key now' },
  unknown_server: { says: 'the passport names a server that --map does not have' },
  no_card: { says: 'the record has no card' },
  not_at_home: { says: 'the home library has no patron with exactly this card' },
  several_at_home: { says: 'the home library has several patrons with this card' },
  home_anonymized: { says: 'the home library has anonymised its patron' },
  not_shared: { says: 'the home library does not share this patron' },
  other_person: { says: 'the names or birth dates do not agree: somebody else has the card at home' },
  other_category: { says: 'no copy is in this category: list it in copy.former_categories if copies were' },
  key_taken: { says: 'another record has the home key already: the patron has two copies' },
  anonymized: { says: 'Koha has anonymised the record: it is never written' },
  changed_meanwhile: { says: 'somebody changed the record at this moment: repeat the command' },
  no_attribute_type: { says: 'the Koha does not have the attribute type' },
  unreadable: { says: 'the record cannot be read' },
  home_failed: { says: 'the home library did not answer: repeat the command' },
  home_down: {
    says: 'not looked up, because the home library did not answer for those before: repeat the command',
  },
  failed: { says: 'the lending Koha did not answer: repeat the command' },
};

/** More names on the terminal say no more; `--json` has all. */
const MOST_SERVERS = 20;

/** `ServerB=midland`, any number of them. */
export function parseMap(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const at = text.lastIndexOf('=');
  const [server, library] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  if (at < 1 || server === '' || library === '') {
    throw new WrongUse(`--map takes SERVER=LIBRARY, such as "ServerB=midland"`);
  }
  return new Map([...before, [server, library]]);
}

/** Each server's library, checked: it is in the configuration, and its patrons may borrow here. */
function homesOf(consortium: Consortium, lending: Library, map: ReadonlyMap<string, string>) {
  const homes = consortium.agreements.homesAt(lending.id);
  const named = [...map].map(([server, id]): [string, Library] => {
    const home = findLibrary(consortium, id);
    if (!homes.has(id)) throw new WrongUse(`no agreement lets patrons of ${id} borrow at ${lending.id}`);
    return [server, home];
  });
  // A passport that names a library by its id is understood without a word.
  const own = [...homes].map((id): [string, Library] => [id, findLibrary(consortium, id)]);
  return new Map([...own, ...named]);
}

interface AdoptOptions {
  readonly at: string;
  readonly map: ReadonlyMap<string, string>;
  readonly apply?: boolean;
}

/** One line in the audit for each copy: a card that was looked up at home by its hash, as a scan's. */
function auditOf(deps: CliDeps, at: string, hash: (card: string) => string) {
  const log = openLog(deps);
  return ({ patron_id, home_key, finding: result, home, card }: Adoption): void => {
    const looked = card === null ? {} : { asked: home, card_hash: hash(card) };
    const audit = { audit: true, action: 'copies_adopt', by: deps.user, lending: at };
    log.info({ ...audit, patron_id, home_key, ...looked, result }, 'copies adopt');
  };
}

export const copiesAdopt: CommandDraft<AdoptOptions> = {
  name: 'adopt',
  summary: 'give home keys to the copies that the older plugin made',
  description:
    'Finds the copies without a home key, as the plugin Patron Passport for Koha made them, looks each card up at its home library, and ' +
    'gives the copy its home key; its passport then names the library by its id. Adopted is a copy only if exactly one living patron of ' +
    'the home library has exactly its card, and their names and birth dates agree. All others are listed with the reason and left as ' +
    'they are. Calls the home libraries one by one and never more than half of the time. Only plans without --apply.',
  examples: [
    'passport copies adopt --at riverside --map "ServerB=midland"',
    'passport copies adopt --at riverside --map "ServerB=midland" "Lake County=lakeside" --apply',
  ],
  options: [
    atLibrary('the lending library'),
    new Option('--map <server=library...>', 'which library a server of the older plugin is')
      .argParser(parseMap)
      .makeOptionMandatory(),
    new Option('--apply', 'do it'),
  ],
  run: async ({ at, map, apply = false }, _args, report, deps): Promise<0 | 1> => {
    const { consortium, keys } = explainConfig(deps.env, deps.readFile);
    const lending = findLibrary(consortium, at);
    const types = copyTypesOf(lending);
    const homes = homesOf(consortium, lending, map);
    const encryption = createEncryption(keys.map((key) => key.reveal()));
    const audit = auditOf(deps, at, (card) => encryption.hash('card', foldCard(card)));
    const kohas = openKohas([lending, ...new Set(homes.values())], deps);
    const servers = new Set<string>();
    const adopt = (): AsyncIterable<Adoption> =>
      adoptAt({ consortium, lending, types, homes, kohas, apply, deps });
    const failed = (): Adoption => ({ ...failedAt(lending), server: null, home: null, card: null });
    const pass = (copy: Adoption): void => {
      audit(copy);
      if (copy.finding === 'unknown_server') servers.add(copy.server ?? '');
    };
    const passage = { at: adopt, failed, pass, applies: apply };
    const { copies, stopped } = await goThrough([lending], passage, report, deps).finally(() =>
      kohas.close(),
    );
    for (const server of [...servers].slice(0, MOST_SERVERS)) report.progress(`unknown server: "${server}"`);
    if (servers.size > MOST_SERVERS)
      report.progress(`and ${servers.size - MOST_SERVERS} other unknown servers`);
    const shown = copies.map(({ lending: place, patron_id, home_key, server, finding }) => ({
      lending: place,
      patron_id,
      home_key,
      server,
      finding,
    }));
    const more = { unknown_servers: [...servers] };
    return printPlan(shown, MEANINGS, { applied: apply, stopped, more }, report);
  },
};
