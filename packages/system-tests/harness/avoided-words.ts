/**
 * Words that have, or once had, a meaning of their own in this project, each with the usual word. Documentation and help
 * avoid them altogether, so that no reader has to guess whether one is meant in its usual sense.
 * They are allowed in code spans and code blocks: public codes and keys such as `on_look_alike` stay.
 */
const AVOIDED: Readonly<Record<string, string>> = {
  'rooms?': 'package',
  'houses?': 'package, library',
  'turns?': 'patron lock',
  'gates?|guards?|guarded': 'rate limit, admission, idempotency key',
  'joins?|joined': 'coalesced',
  'tells?|telling|tellings|told': 'report, notify, say',
  'story|stories|endings?|run end': 'workflow, result, outcome',
  '(?:takes?|taken|took|taking) up|(?:gives?|gave|given|giving) back|(?:hand|put)(?:s|ed|ting|ing)? back':
    'use, return, requeue',
  'asks?|asked|asking': 'look up, query, request',
  'mends?|mended|mending': 'fix',
  'parks?|parked|parking|wakes?|woken|waking': 'delay, promote',
  'chores?|housekeeping': 'maintenance',
  'sightings?': 'library health',
  'rests?|resting': 'back-off, pause; others',
  'held write|holds? up|held up': 'fenced write; blocked',
  'seals?|sealed|sealing': 'encrypt',
  'verdicts?|judges?|judged|judging': 'matching, eligibility, decision',
  'lends?|lent|loans?': 'check out, checkout',
  'look-alikes?|lookalikes?': 'possible duplicate',
};
const WORDS = new RegExp(`(?<![\\w-])(?:${Object.keys(AVOIDED).join('|')})(?![\\w-])`, 'gi');

/** The prose of a Markdown page: diagrams included, but no other code blocks, code spans, comments or link targets. */
export function proseOf(markdown: string): string {
  return markdown
    .replaceAll(/^ *```(?!mermaid)\w+\n.*?^ *```$/gms, '')
    .replaceAll(/^ *```.*$/gm, '')
    .replaceAll(/<!--.*?-->/gs, '')
    .replaceAll(/`[^`]*`/g, '')
    .replaceAll(/\]\([^)]*\)/g, ']');
}

/** `REST` is the protocol, "not for loan" a status of Koha's, "or ask" the value of a key; and staff do ask patrons. */
const USUAL = /\bREST\b|\bnot for loan\b|\bAsk the patron\b|\bor ask\b/g;

/** Each avoided word of a text, with its line. */
export function avoidedWords(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line) =>
      Array.from(
        line.replaceAll(USUAL, '').matchAll(WORDS),
        ([word]) => `${word}: ${line.trim().slice(0, 120)}`,
      ),
    );
}

/** Names that other systems or other versions read, and words in their plain sense. */
const PLAIN_NAMES = [
  // Keys of the configuration, and the same in our models.
  /\b(?:on_look_alike|tell_koha|verdicts_per_hour|onLookAlike|tellKoha|verdictsPerHour)\b/,
  // What a person at a desk does: they put the question to the patron.
  /'ask'|`ask`|\bconsent(?: is|:) ask\b|\b[Aa]sk the patron\b|\bask at the\b/,
  // Keys of a job, also where tests look for them in texts; codes, labels and names of the contract; keys of the audit log
  // and of `explain --json`.
  /\b(?:sealed_card|sealed_item|item_asked|NOT_ASKED|passport_jobs_put_back_total)\b|\bput_back:|\basked:|\.asked\b/,
  /(['"`])verdicts\1|\bverdicts: limits\b/,
  /\bsealed\|(?:card|whsec_)|'sealed'/,
  /'(?:look_alike|loan)'|\bplugin_not_told\b/,
  // The key of the receiver's and the plugin's answers, and what `passport send` prints for it.
  /'\/?joined'|\bjoined\??: (?:true|boolean|isCoalesced|coalesced|mark\()|(?:\bbody|\}\))\.joined\b|\/\^joined: /,
  /\bjoined => (?:1|true|Mojo)|\bqw\( duplicate joined \)/,
  // The key of `packages/contract/vectors`, which other senders read.
  /\bvector\.verdict\b|\{verdict\}|\$verdict\b|\bverdict: (?:string|'accepted')/,
  // Columns of the plugin's table.
  /\bask_at\b|\btold(?: MEDIUMTEXT| +=> | = \?| FROM)|\bstate, told\b/,
  // Keys and queues in Redis, an event of those that version 1 left there, and what keeps tests from leaks.
  /\{passport\}:(?:guard|join|turn|parked):|'parked', 'parked-reports'|\/queues\/tellings\/|'evt_joined'|\bleak-guard\b|\bleakGuard\b/,
  // The label under which the keys of all jobs so far were derived.
  /subkey\(key, 'seal'\)/,
  // Koha's own codes, labels and preferences, and what databases print.
  /\bNOT_FOR_LOAN(?:_FORCING)?\b|\b(?:AllowN|n)otForLoan(?:Override)?\b|\b[Ll]oan period\b|\bselect from join left\b/,
  /\b(?:current_loan_count|max_loans_allowed)\b/,
  // JavaScript, Perl, SQL and the protocol.
  /\bjoin\(|\bimport \{[^}]*\bjoin\b[^}]*\} from 'node:path'|\bjoin (?:q\{|"\\n")|\bJOIN (?:borrower|\$table)|\bREST\b/,
  // One after the other.
  /\bin turn\b/,
];

/** A source, or its path, with each name cut into its words. */
export const wordsOfCode = (source: string): string =>
  PLAIN_NAMES.reduce((text, name) => text.replaceAll(new RegExp(name, 'g'), ''), source)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ');
/** The hyphens of a file name separate words; those of a word like `put-back` do not. */
export const wordsOfPath = (path: string): string => wordsOfCode(path).replaceAll(/[-./]/g, ' ');
