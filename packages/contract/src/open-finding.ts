/** What somebody can do about a copy that something is open of. */
type FindingAct = 'adopt' | 'rekey' | 'release' | 'keep' | 'delete' | 'erase';

interface Advice {
  /** What it means. */
  readonly says: string;
  /** What to do. */
  readonly advice: string;
  readonly acts: readonly FindingAct[];
}

/** The findings of a sweep that somebody has to look at; all others settle themselves, or are as they should be. */
export const OPEN_FINDINGS = {
  NOT_ON_RECORD: {
    says: 'the service has not made this copy for this home key, and does not follow it',
    advice: 'adopt it if it is a copy of this patron; release it if it is an own patron',
    acts: ['adopt', 'release', 'keep'],
  },
  NOT_REMEMBERED: {
    says: 'the plugin does not remember what was written into it: nothing is written',
    advice: 'adopt it',
    acts: ['adopt', 'release', 'keep'],
  },
  PASSPORT_KEY_UNKNOWN: {
    says: 'what was written is remembered by a key that is no longer in PASSPORT_KEY',
    advice: 'put the former key back behind the present one',
    acts: ['keep'],
  },
  NO_CONSENT: {
    says: 'no consent of the patron is on record: nothing is passed on',
    advice: 'keep it as it is, or delete it: the next scan requests consent for a new one',
    acts: ['erase', 'release', 'keep'],
  },
  CARD_CHANGED: {
    says: 'home has another card, which is only reported here (refresh.card)',
    advice: 'correct the card in Koha',
    acts: ['keep'],
  },
  CARD_NOT_OF_HOME: {
    says: 'the new card at home is none of its own by its patterns: the copy keeps the one it has',
    advice: 'ask the home library',
    acts: ['keep'],
  },
  EXPIRY_CHANGED: {
    says: 'home has another expiry date, which is only reported here (refresh.expiry)',
    advice: 'correct the date in Koha',
    acts: ['keep'],
  },
  CATEGORY_CHANGED: {
    says: 'a copy made today would have another category, which is only reported here (refresh.category)',
    advice: 'correct the category in Koha',
    acts: ['keep'],
  },
  NOT_ELIGIBLE: {
    says: "by this library's eligibility the patron would not be copied today, and the copy is not restricted for it (standing)",
    advice: 'decide whether to lend; the checkout page of the copy says why',
    acts: ['keep'],
  },
  HOME_RESTRICTED: {
    says: 'the patron is restricted at home, and not here',
    advice: 'decide whether to lend; restrict the patron in Koha if not',
    acts: ['keep'],
  },
  HOME_RESTRICTION_LIFTED: {
    says: 'the patron is not restricted at home any more, and the restriction that stands for it is still here',
    advice: 'lift the restriction Patron Passport in Koha',
    acts: ['keep'],
  },
  HOME_CARD_LOST: {
    says: 'the card is reported lost at home, and not here',
    advice: 'mark the card as lost in Koha',
    acts: ['keep'],
  },
  HOME_EXPIRED: {
    says: 'the membership at home is over, and not here',
    advice: 'send the patron to the home library, or set the expiry date in Koha',
    acts: ['keep'],
  },
  HOME_GONE: {
    says: 'the patron has left the home library',
    advice: 'delete the copy, or release it if the patron stays here',
    acts: ['delete', 'release', 'keep'],
  },
  HOME_MERGED: {
    says: 'home has the card under another number, and it is not certain that it is the same person',
    advice:
      'compare the two records; correct name and birth date here if it is the same person: the next sweep renews the home key',
    acts: ['rekey', 'release', 'keep'],
  },
  MERGED_INTO_NATIVE: {
    says: 'a copy was merged into this own patron',
    advice: 'release it: that removes what is left of the copy',
    acts: ['release', 'keep'],
  },
  OTHER_PERSON: {
    says: 'the number at home is of somebody else by now: nothing is written',
    advice: 'ask the home library, then release the copy or delete it',
    acts: ['release', 'erase', 'keep'],
  },
  COPY_ANONYMIZED: {
    says: 'Koha has anonymised the copy',
    advice: 'delete the record in Koha',
    acts: ['keep'],
  },
  NOT_SHARED: {
    says: 'home does not share the patron any more: nothing is passed on',
    advice: 'keep it as it is, release it, or delete it',
    acts: ['erase', 'release', 'keep'],
  },
  NOT_A_COPY: {
    says: 'it has no passport any more, and still a home key',
    advice: 'release it: that removes the home key',
    acts: ['release', 'keep'],
  },
  HOME_UNKNOWN: {
    says: 'the home key names no library that copies may come from',
    advice: 'rekey if the library was renamed; else release or delete its copies',
    acts: ['rekey', 'release', 'delete', 'keep'],
  },
  UNREADABLE: {
    says: 'a record here, at home or of the plugin cannot be read',
    advice: 'open it in Koha and correct it; `passport doctor --probe` says where',
    acts: ['keep'],
  },
  KOHA_REFUSED: {
    says: 'Koha, or the plugin, refused the change',
    advice: 'open the record in Koha and store it once; `passport doctor` says what is set up wrongly',
    acts: ['keep'],
  },
} as const satisfies Readonly<Record<string, Advice>>;

export type OpenFindingCode = keyof typeof OPEN_FINDINGS;

/** Whether a finding is one that somebody has to look at. */
export const isOpenFinding = (code: string): code is OpenFindingCode => Object.hasOwn(OPEN_FINDINGS, code);

/** A copy as commands name it. */
interface NamedCopy {
  readonly lending: string;
  readonly patronId: number;
  /** `{home library id}:{patron_id there}`; `?` stands for a number that is none. */
  readonly homeKey: string;
}

/** The commands for what can be done about a finding of a copy, each of which plans first. */
export function commandsFor(
  finding: OpenFindingCode,
  { lending, patronId, homeKey }: NamedCopy,
): readonly string[] {
  const home = homeKey.slice(0, homeKey.lastIndexOf(':'));
  const at = `--at ${lending}`;
  const isNamed = !homeKey.includes('?');
  const commands: Readonly<Record<FindingAct, string | null>> = {
    adopt: isNamed ? `passport copies adopt ${at}` : null,
    rekey:
      finding === 'HOME_UNKNOWN'
        ? isNamed
          ? `passport copies rekey ${at} --from ${home} --to LIBRARY`
          : null
        : `passport copies refresh ${at} --full`,
    release: `passport copies release ${patronId} ${at}`,
    keep: `passport copies findings ${at} --keep ${patronId}`,
    delete:
      finding === 'HOME_GONE'
        ? `passport copies delete ${at} --gone`
        : isNamed
          ? `passport copies delete ${at} --of ${home}`
          : null,
    erase: isNamed ? `passport erase ${homeKey}` : null,
  };
  return OPEN_FINDINGS[finding].acts.flatMap((act) => commands[act] ?? []);
}

/** The page of a patron in Koha's staff interface. */
export const patronPage = (staffUrl: string, patronId: number): string =>
  `${staffUrl}/cgi-bin/koha/members/moremember.pl?borrowernumber=${patronId}`;
