import { attempt, type PluginCheck } from '@passport/koha-client';
import type { Examinee, Facts, Findings, FindingsOfCalls } from './examinee.ts';
import { fault, type Finding, type FindingCode, unchecked, warning } from './finding.ts';

export const CONFIGURE = 'Plugins → Patron Passport → Configure';
const TYPES = 'Administration → Patron attribute types →';

/** A type that marks a copy. */
interface OurType {
  readonly code: string;
  readonly unique: boolean;
}

const ourTypes = ({ passportAttribute, homeKeyAttribute }: Examinee['library']['copy']): OurType[] => [
  { code: passportAttribute, unique: false },
  ...(homeKeyAttribute === null ? [] : [{ code: homeKeyAttribute, unique: true }]),
];

/** A code that the column of 23.11 and 24.05 cannot hold. */
const LONGEST_OLD_CODE = 10;

function missing({ code, unique }: OurType, { circulationRules }: Facts['capabilities']): Finding {
  const problem = `Koha has no patron attribute type ${code}`;
  // Circulation rules came with 24.11, and so did longer codes.
  if (!circulationRules && code.length > LONGEST_OLD_CODE) {
    const why = `${problem}, and codes of this release have at most ${LONGEST_OLD_CODE} characters`;
    const remedy =
      'set copy.home_key_attribute: PASSPORTID for this library, the code that the plugin uses on this release';
    return fault('attribute_type_missing', why, remedy, code);
  }
  const remedy = `${TYPES} New patron attribute type: code ${code}, unique identifier ${unique ? 'checked' : 'not checked'}; the plugin creates it when it is installed`;
  return fault('attribute_type_missing', problem, remedy, code);
}

/** What is said of a finding: its code, what is wrong, what to do, and what it is about; with blanks for what the plugin reports. */
type Row = readonly [code: FindingCode, problem: string, remedy: string, name?: string];

const refused = (problem: string, remedy: string): Row => [
  'plugin_receiver',
  `the receiver refuses the plugin: ${problem}`,
  remedy,
];
const unreachable = (problem: string, remedy: string): Row => [
  'plugin_receiver',
  `the plugin cannot reach the receiver at {url}: ${problem}`,
  remedy,
];
const off = (problem: string, name: string): Row => [
  'plugin_off',
  `${problem}: it is switched off in the plugin`,
  `switch it on in ${CONFIGURE}`,
  name,
];
const ofType = (code: FindingCode, problem: string, remedy: string): Row => [
  code,
  problem,
  `${TYPES} ${remedy}`,
  '{name}',
];
const UNKNOWN_LIBRARY = refused(
  'it does not know this id and secret, though the configuration has both',
  `passport config reload; or the address in ${CONFIGURE} is of another service`,
);

/** Whether it is that the receiver has another configuration than doctor, as before a reload. */
export const isOfUnknownLibrary = ({ problem }: Finding): boolean => problem === UNKNOWN_LIBRARY[1];

/** What is not shown: doctor sees it from outside, at the service itself or in the configuration, and more exactly. */
const SEEN_ELSEWHERE =
  'settings_missing user_none user_unset user_no_key user_taken user_lacks api_off worker_none worker_other clock_off category_none branch_missing cards_hidden';

/** The findings of the plugin's `SetupCheck.pm` in the words of doctor; an unreachable receiver by why it is. */
export const PLUGIN_FINDINGS: Readonly<Record<string, Row | null>> = {
  ...Object.fromEntries(SEEN_ELSEWHERE.split(' ').map((finding) => [finding, null])),
  tables_missing: [
    'plugin_tables',
    "tables of the plugin's are missing",
    'scan a card, which makes them again, empty; after a restore of the database, restore them too',
  ],
  'receiver_unreachable timeout': unreachable(
    'it does not answer in time',
    'open the way from that server to the receiver (firewall, proxy)',
  ),
  'receiver_unreachable refused': unreachable(
    'nobody listens there',
    `correct the address in ${CONFIGURE}, or start the receiver`,
  ),
  'receiver_unreachable tls': unreachable(
    'the encrypted connection fails',
    "make the receiver's certificate valid for that server",
  ),
  'receiver_unreachable name': unreachable(
    'that server does not know its name',
    `correct the address in ${CONFIGURE}, or that server's DNS`,
  ),
  receiver_unreachable: unreachable(
    'the connection broke off',
    "look at the receiver's log and at the proxy in front of it",
  ),
  receiver_limit: refused('a limit is reached (429)', 'look at its rate and backlog: passport status'),
  receiver_trouble: refused('it answers {figure}', "look at the receiver's log, and at Redis"),
  receiver_other: refused(
    '{url} answers {figure}, as no receiver does',
    `set the address of the receiver in ${CONFIGURE}`,
  ),
  receiver_slow: [
    'plugin_receiver',
    'the receiver takes {figure} ms to answer that server, and a page waits 500 ms',
    'shorten the way from that server to the receiver',
  ],
  identity_other: UNKNOWN_LIBRARY,
  identity_wrong: UNKNOWN_LIBRARY,
  clock_refused: refused(
    "that server's clock is more than five minutes off",
    'synchronise its clock (timedatectl set-ntp true)',
  ),
  desk_off: off('scans at the staff desk are not reported', 'staff'),
  copies_off: off('refresh.at_scan has no effect, because scans of copies are not reported', 'copies'),
  sip_branch: [
    'sip_branch',
    'a SIP account has an institution that is no branch of this Koha: {name}',
    "set this account's institution to the code of a branch (SIPconfig.xml), and restart the SIP server",
    '{name}',
  ],
  attributes_off: [
    'extended_attributes_off',
    'patron attributes are disabled (ExtendedPatronAttributes): the desk does not see whose copy a patron is',
    'Administration → System preferences → ExtendedPatronAttributes: Enable',
    'ExtendedPatronAttributes',
  ],
  type_missing: ofType(
    'attribute_type_missing',
    'Koha has no patron attribute type {name}',
    'New patron attribute type: code {name}',
  ),
  type_not_unique: ofType(
    'attribute_type_not_unique',
    'the attribute type {name} is not unique: two copies of one patron would not be noticed',
    'New patron attribute type: unique identifier cannot be changed later, so delete {name} while no patron has it, and create it again with "unique identifier" checked',
  ),
  type_unique: ofType(
    'attribute_type_unique',
    'the attribute type {name} is unique: only one patron of each home library could be copied',
    'create {name} again without "unique identifier"',
  ),
  type_editable: ofType(
    'attribute_type_in_opac',
    "patrons can change {name} in the OPAC, and so impersonate somebody else's copy",
    '{name} → Edit → uncheck "Editable in OPAC"',
  ),
  type_shown: ofType(
    'attribute_type_in_opac',
    '{name} is displayed in the OPAC',
    '{name} → Edit → uncheck "Display in OPAC"',
  ),
  type_mandatory: ofType(
    'attribute_type_mandatory',
    'every patron must have the attribute {name}, which copies do not get',
    '{name} → Edit → uncheck "Mandatory", or limit it to the patron categories that need it',
  ),
  types_unchecked: [
    'attribute_type_not_unique',
    'which attribute types are needed, the plugin has not learnt from the receiver',
    'what keeps the plugin from its receiver is a finding of its own',
  ],
  category_missing: [
    'category_unknown',
    'Koha has no patron category {name}',
    'Administration → Patron categories → New category with the code {name}; or set copy.category to an existing one',
    '{name}',
  ],
  rules_missing: [
    'no_circulation_rule',
    'no circulation rule (maxissueqty) applies to {name}',
    'Administration → Circulation and fines rules → a row with the patron category {name} and all item types; or the button in ' +
      CONFIGURE,
    '{name}',
  ],
  plack_few: [
    'few_workers',
    'Koha has {figure} web worker: while a desk page waits for a copy, the copy cannot be created',
    'in koha-conf.xml set plack_workers to 2 or more, then koha-plack --restart',
  ],
};

/** A finding of a later plugin. */
const LATER: Row = [
  'plugin_finding',
  'the plugin finds "{finding}"',
  'see Plugins → Patron Passport → Run tool, in that Koha',
  '{finding}',
];

const BUILD = { fault, warning, unchecked };

/** The word comes from another Koha: one that every object has, such as `constructor`, is no row. */
const rowOf = (finding: string): Row | null | undefined =>
  Object.hasOwn(PLUGIN_FINDINGS, finding) ? PLUGIN_FINDINGS[finding] : undefined;

/** What the plugin's own set-up check has found, as doctor says it. */
export function* showFindings(
  { library }: Examinee,
  capabilities: Facts['capabilities'],
  { findings, receiver_url: url }: Pick<PluginCheck, 'findings' | 'receiver_url'>,
  hasOtherFault: boolean,
): Findings {
  const ours = ourTypes(library.copy);
  for (const { finding, level, name, figure } of findings ?? []) {
    const row = rowOf(`${finding} ${name ?? ''}`) ?? rowOf(finding);
    // An id or a secret that is not this library's is a finding of its own, and then no wonder.
    const isKnown = row === null || (row === UNKNOWN_LIBRARY && hasOtherFault);
    // From 24.11 on doctor reads the rules itself, branch by branch.
    const isReadBetter = finding === 'rules_missing' && capabilities.circulationRules;
    if (level === 'ok' || isKnown || isReadBetter || (level === 'unchecked' && row === undefined)) continue;
    const our = ours.find(({ code }) => code === name);
    if (finding === 'type_missing' && our !== undefined) {
      yield missing(our, capabilities);
      continue;
    }
    const blanks: Readonly<Record<string, string | number | null>> = {
      finding,
      name,
      figure,
      url: url ?? 'its address',
    };
    const fill = (text: string): string =>
      text.replace(/\{(\w+)\}/g, (_, blank: string) => String(blanks[blank] ?? '?'));
    const [code, problem, remedy, about = null] = row ?? LATER;
    yield BUILD[level](code, fill(problem), fill(remedy), about === null ? null : fill(about));
  }
}

/** Without the plugin's check: by requests that Koha refuses in every case, and whose refusal says whether it knows the type. */
export async function* checkTypesFromOutside(
  { koha, library }: Examinee,
  { visible, capabilities }: Facts,
): FindingsOfCalls {
  const patronId = visible?.patronId ?? null;
  const ours = ourTypes(library.copy);
  for (const our of patronId === null ? [] : ours) {
    const exists = await attempt(koha.probeAttributeTypeByRefusal(patronId ?? 0, our.code));
    if ('value' in exists && exists.value === false) yield missing(our, capabilities);
  }
  const codes = ours.map(({ code }) => code).join(' and ');
  const problem = `whether ${codes} are unique, and whether other types are mandatory, only the plugin can report`;
  yield unchecked('attribute_type_not_unique', problem, `install the plugin, or check it yourself: ${TYPES}`);
}
