import * as z from 'zod';

/**
 * What can be done: by an operator with the command, by a user of the dashboard, or by the service itself. Each is the `action` of an
 * audit line of the log.
 */
export const ACTS = [
  'retry',
  'promote',
  'discard',
  'explain',
  'probe',
  'export',
  'erase',
  'owed',
  'pause',
  'resume',
  'reload',
  'copies_list',
  'copies_elsewhere',
  'copies_adopt',
  'copies_release',
  'copies_rekey',
  'copies_leave',
  'copies_refresh',
  'copies_delete',
  'copies_findings',
  'rehearse',
  'join_invite',
  'join_withdraw',
  'join_request',
  'join_discard',
  'join_accept',
  'join_decline',
  'join_start',
  'sweep',
  'sweep ended',
  'rekey',
  'read what is owed',
  'count loans',
  'choose home',
  'override',
  'restrict',
  'lift restriction',
  'login',
  'write',
] as const;
export type ActName = (typeof ACTS)[number];

/** Refused log-ins and writes are kept apart: whoever tries passwords must not push out what was done. */
export const ACT_KINDS = ['acts', 'refusals'] as const;
export type ActKind = (typeof ACT_KINDS)[number];

/** Which part of the service an act came through. */
export type ActSource = 'cli' | 'dashboard' | 'worker' | 'receiver';

const detail = z.union([z.string(), z.number(), z.boolean()]);

export const actSchema = z.object({
  act: z.string(),
  source: z.string(),
  /** The account: of the machine for the command, of the dashboard; null: the service itself, or an account that nobody knows. */
  by: z.string().nullable(),
  /** Where something was done or read; for what concerns no lending library, whose it is. */
  libraries: z.array(z.string()),
  /** Whose patrons it was about. */
  homes: z.array(z.string()),
  event: z.string().nullable(),
  result: z.string().nullable(),
  details: z.record(z.string(), detail),
});

/** Who did what, without anything that names or finds a patron. */
export type Act = Readonly<z.infer<typeof actSchema>>;

/**
 * What else of a line is kept. Everything that is not named here stays in the log alone: cards as keyed hashes, home keys, numbers
 * of patrons, network addresses.
 */
const DETAILS = [
  'as',
  'until',
  'because',
  'reasons',
  'decided_by',
  'config',
  'way',
  'mode',
  'dry_run',
  'blocks',
  'state',
  'limit',
  'copies',
  'receipts',
  'places',
  'to',
] as const;
const LONGEST = 200;

type Line = Readonly<Record<string, unknown>>;

/**
 * What is kept of an audit line of the log; null for a line about one scan, which the event's own history has, and for an action that
 * is not known.
 */
export function actOf(line: Line, source: ActSource): Act | null {
  const { queried } = line;
  const act = textOf(line['action']);
  if (act === null || !ACTS.some((known) => known === act)) return null;
  // A worker's line about a scan; what somebody does to an event, or decides of it at the desk, names who.
  if (line['event'] !== undefined && line['by'] === undefined) return null;
  const homeKey = textOf(line['home_key'])?.split(':')[0];
  const homes = unique([...namesOf(line['home']), ...namesOf(line['found']), ...namesOf(homeKey)]);
  const named = unique([...namesOf(line['lending']), ...namesOf(line['library'])]);
  const renamed = act === 'copies_rekey' ? [['from', line['from']] as const] : [];
  return {
    act,
    source,
    by: textOf(line['by']),
    libraries: named.length > 0 ? named : homes.length > 0 ? homes : namesOf(queried),
    homes,
    event: textOf(line['event']),
    result: textOf(line['result']),
    details: Object.fromEntries(
      [...renamed, ...DETAILS.map((name) => [name, line[name]] as const)].flatMap(([name, value]) => {
        const kept = detailOf(value);
        return kept === null ? [] : [[name, kept]];
      }),
    ),
  };
}

export const kindOf = ({ act }: Pick<Act, 'act'>): ActKind =>
  act === 'login' || act === 'write' ? 'refusals' : 'acts';

/**
 * The stream that an act is kept in. Each account has its own, so that it pushes out nothing but what it has done itself. What the service
 * does, and refused log-ins, which anybody can cause under any name, are in those of nobody in particular.
 */
export function streamOf(act: Pick<Act, 'act' | 'by' | 'source'>): string {
  const kind = kindOf(act);
  return act.by === null || act.act === 'login' ? kind : `${kind}:${act.source}:${act.by}`;
}

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value.slice(0, LONGEST) : null;

const namesOf = (value: unknown): string[] =>
  [value].flat().filter((name): name is string => typeof name === 'string' && name !== '');

const unique = (names: readonly string[]): string[] => [...new Set(names)];

function detailOf(value: unknown): string | number | boolean | null {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  const text = namesOf(value).join(' ').slice(0, LONGEST);
  return text === '' ? null : text;
}
