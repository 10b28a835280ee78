import { Secret, indexAgreements, type Agreement, type Consortium, type Library } from '@passport/config';
import { COPY_FIELDS, PATRON_FIELDS } from '@passport/contract';
import type { KohaPatron } from '@passport/koha-client';
import type { Answer, Candidate, Case, CopyCase } from '../src/index.ts';

export const CARD = '21234000000017';
export const TODAY = '2026-11-25';

type Parts<T> = { readonly [K in keyof T]?: T[K] extends readonly unknown[] ? T[K] : Partial<T[K]> | T[K] };

/** A library that is lending and home library, shares everything and refuses what a library usually refuses. */
export function library(id: string, changes: Parts<Library> = {}): Library {
  const { koha, share, copy, eligibility, ...others } = changes;
  return {
    id,
    name: `${id} library`,
    enabled: true,
    webhookSecrets: [new Secret('whsec_x')],
    windows: [],
    limits: {
      eventsPerSecond: 50,
      burst: 200,
      backlog: 10_000,
      copiesPerHour: 500,
      missesPerHour: 1000,
      verdictsPerHour: 500,
      refreshesPerHour: 1000,
      keptFinished: 20_000,
      keptFailed: 5_000,
      remembered: 100_000,
    },
    cards: [],
    cardsSharedWith: [],
    retry: {
      tellKoha: true,
      checkout: true,
      checkoutWithinMs: 90_000,
      confirm: [],
      giveUpAfterMs: 900_000,
    },
    refresh: null,
    standing: 'off',
    owed: null,
    loans: null,
    ignoreFindings: [],
    ...(others as Partial<Library>),
    koha: {
      url: 'http://127.0.0.1:1',
      staffUrl: null,
      clientId: new Secret('x'),
      clientSecret: new Secret('x'),
      timeoutMs: 3_000,
      maxInFlight: 8,
      ...koha,
    },
    share: {
      fields: COPY_FIELDS,
      categories: { kind: 'all' },
      optOutAttribute: null,
      restrictionComments: false,
      ...share,
    },
    copy: {
      mode: 'copy',
      category: { kind: 'one', category: 'PT' },
      categories: {},
      formerCategories: [],
      branch: { kind: 'scan' },
      fields: COPY_FIELDS,
      set: {},
      expiry: { kind: 'home' },
      passportAttribute: 'PASSPORTED',
      homeKeyAttribute: 'PASSPORTED_ID',
      consent: null,
      onLookAlike: 'stop',
      ...copy,
    },
    eligibility: {
      expired: 'refuse',
      restricted: 'refuse',
      cardLost: 'refuse',
      addressUnconfirmed: 'refuse',
      maxDebt: null,
      minAge: null,
      showReasons: true,
      override: null,
      ...eligibility,
    },
  };
}

export function agreement(home: string, lending: string, changes: Partial<Agreement> = {}): Agreement {
  return { home, lending, fields: null, categories: { kind: 'all' }, blockHomeOver: null, ...changes };
}

/** Libraries that all have an agreement with one another. */
export function consortium(libraries: readonly Library[], changes: Partial<Consortium> = {}): Consortium {
  const agreements = libraries.flatMap((lending) =>
    libraries.filter((home) => home !== lending).map((home) => agreement(home.id, lending.id)),
  );
  return {
    name: 'Prairie Libraries',
    locate: { strict: false, patternsDecide: false },
    public: { receiver: null, dashboard: null },
    retention: { finishedMs: 1, failedMs: 1, receiptsMs: 1, auditMs: 1 },
    libraries,
    agreements: indexAgreements(agreements),
    users: [],
    notify: [],
    ...changes,
  };
}

/** A patron in good standing, with every contact field filled. */
export function patron(changes: Partial<KohaPatron> = {}): KohaPatron {
  const fields = {
    ...Object.fromEntries(PATRON_FIELDS.map(({ name }) => [name, `home ${name}`])),
    surname: 'Okafor',
    firstname: 'Adaeze',
    date_of_birth: '1990-05-01',
    gender: 'F',
    ...changes.fields,
  };
  return {
    patronId: 812,
    cardnumber: CARD,
    surname: fields.surname ?? null,
    firstname: fields.firstname ?? null,
    libraryId: 'CENTRAL',
    categoryId: 'AD',
    dateOfBirth: fields.date_of_birth ?? null,
    dateEnrolled: '2020-01-01',
    expiryDate: '2027-05-01',
    expired: false,
    anonymized: false,
    restricted: false,
    cardLost: false,
    incorrectAddress: false,
    privacy: 1,
    accountBalance: null,
    attributes: [],
    hidden: false,
    ...changes,
    fields,
  };
}

export function attribute(type: string, value: string | null) {
  return { type, value, id: 1 };
}

export const midland = library('midland');
export const riverside = library('riverside');
export const lakeside = library('lakeside');

export function candidate(home: Library = midland): Candidate {
  return { home, agreement: agreement(home.id, 'riverside'), cards: [CARD] };
}

export function patrons(...found: KohaPatron[]): Answer {
  return { kind: 'patrons', patrons: found };
}

export const silence: Answer = { kind: 'no_answer', reason: 'NO_ANSWER', retryAfterMs: null };
export const refusal: Answer = { kind: 'refused', problem: { what: 'credentials', name: null } };

/** A patron of midland, scanned at riverside, about whom there is nothing to say. */
export function aCase(changes: Partial<Case> = {}): Case {
  return {
    patron: patron(),
    home: midland,
    agreement: agreement('midland', 'riverside'),
    lending: riverside,
    scannedOn: TODAY,
    ...changes,
  };
}

export function aCopyCase(changes: Partial<CopyCase> = {}): CopyCase {
  return { ...aCase(), branch: 'MAIN', accepts: () => true, ...changes };
}
