import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect } from '@jest/globals';

export interface ScanState {
  event_id?: string;
  library?: string;
  state: string;
  outcome?: string | null;
  reasons?: string[];
  homes?: { id: string; name?: string | null }[];
  patron_id?: number | null;
  checkout?: { result: string; keys: string[] } | null;
  waiting_for?: {
    library: string;
    reason: string;
    next_try_at?: string | null;
    gives_up_at?: string | undefined;
    checkout_by?: string | undefined;
  } | null;
  problem?: { library: string; what: string; name?: string | null } | null;
  consent?: { text_id: string; texts: Record<string, string>; answer_by?: string } | null | undefined;
  asks?: { question: string; options: readonly string[]; answer_by?: string } | null | undefined;
  observed?: { category: string | null } | null | undefined;
  libraries?: { id: string; name?: string | null }[];
  message?: string | null;
}

export interface View {
  state: ScanState | null;
  fault?: string | null;
  isOver?: boolean;
  withItem?: boolean;
  followedMs?: number;
  now?: number;
  cancel?: string | null;
  answered?: string | null;
  decided?: string | null;
}

export interface Shown {
  steps: Record<string, string>;
  tone: string;
  headline: string;
  advice: string;
  /** What the desk can do next, the first being the one to take. */
  next: string[];
  isOver: boolean;
  takesItem: boolean;
}

export type Words = (key: string, values?: Record<string, string>) => string | undefined;
export type Messages = Record<string, Record<string, string>>;

/** What the plugin says of a copy's standing. */
export interface Standing {
  patron_id: number;
  home_name: string;
  is_good: boolean;
  reasons: string[];
  checked_s: number;
  is_checking: boolean;
}

export interface Desk {
  cardOfPage(url: { pathname: string; search: string }): string | null;
  looksLikeCard(card: string, patterns: string[]): boolean;
  completeCard(code: string, patterns: readonly string[]): string | null;
  wholeCode(
    code: string,
    is: { isItem: boolean; isPatron: boolean } | null,
    patterns: readonly string[],
  ): string | null;
  createWords(messages: Messages, language: string): Words;
  languageOf(messages: Messages, language: string): string;
  isHere(state: ScanState): boolean;
  meaningOf(
    code: string,
    facts: { card: string; isOver: boolean; isHere: boolean; takesItem: boolean; withItem: boolean },
    is: { isItem: boolean; isPatron: boolean } | null,
    cards: { patterns: readonly string[]; anyCard: boolean },
  ): string;
  afterUnclear(code: string, meaning: string, unclear: Map<string, string>): string;
  checkoutAddress(state: ScanState, card: string): string;
  nextPollMs(followedMs: number): number;
  nextCancelMs(faults: number, retryAfterS?: number): number | undefined;
  nextReportMs(faults: number, retryAfterS?: number): number;
  readReport(
    status: number,
    body: unknown,
  ): { kind: string; eventId?: string; fault?: string; isUnsure?: boolean; isCoalesced?: boolean };
  readState(status: number, body: unknown): { kind: string; state?: ScanState; fault?: string };
  readCancel(status: number, body: unknown): { kind: string; result?: string; state?: ScanState };
  canCancel(view: View): boolean;
  cancelEnd(state: ScanState): string;
  worseEnd(one: string, other: string): string;
  readonly OUTCOMES: Readonly<Record<string, { search?: string; copy?: string; next: readonly string[] }>>;
  nextAfterOutcome(outcome: string): string[];
  nextAfterFault(fault: string): string[];
  registrations(document: unknown, card: string): { label: string; address: string }[];
  cardToRegister(url: { pathname: string; hash: string }): string | null;
  describe(view: View, words: Words, language: string): Shown;
  showConsent(shown: {
    panel: {
      consent: { hidden: boolean };
      consentText: { textContent: string; setAttribute(name: string, value?: string): void };
      consentButtons: readonly { disabled: boolean }[];
    };
    view: Pick<View, 'state' | 'cancel' | 'answered'>;
    language: string;
    isAnswering: boolean;
  }): void;
  textFor(texts: Record<string, string>, language: string): { language?: string; text: string };
  asksOf(view: Pick<View, 'state' | 'cancel' | 'decided'>): { question: string } | null;
  optionsOf(
    asks: { question: string; options: readonly string[] },
    state: ScanState,
    words: Words,
  ): { option: string; label: string }[];
  questionOf(view: Pick<View, 'state' | 'cancel' | 'answered'>): { text_id: string } | null;
  hitsIn(document: unknown, jQuery: unknown): string;
  nextStandingMs(standing: Standing, followedMs: number): number | null;
  ageOf(seconds: number, language: string): string;
  describeStanding(
    standing: Standing,
    passedMs: number,
    words: Words,
    language: string,
  ): { tone: string; text: string; advice: string };
  isSearchFor(card: string, document: unknown): boolean;
}

export interface NextScan {
  createNextScan(
    cards: { readonly patterns: readonly string[]; readonly anyCard?: boolean },
    patronId?: number,
  ): {
    isOpening(): boolean;
    after(card: string | null): void;
    open(code: string): Promise<void>;
    follow(code: string): void;
    goOn(): void;
    isItemHeld(): boolean;
    release(): void;
    guard(box: { readonly form: object; value: string }): void;
  };
}

const FOLDER = new URL('../Koha/Plugin/Org/PatronPassport/desk/', import.meta.url);

/** The files with decisions: what the panel says and does, without a page. */
const DECISIONS = [
  'consent',
  'decision',
  'describe',
  'koha-search',
  'outcomes',
  'read-answer',
  'read-code',
  'register',
  'scan-state',
  'standing',
  'steps',
  'words',
] as const;

export const MESSAGES = JSON.parse(readFileSync(new URL('messages.json', FOLDER), 'utf8')) as Messages;

/** A file of the script as it is in a page: each test file has one of its own, as a browser's page has. */
const inPage = (file: string): string =>
  `${new URL(file, FOLDER).href}?page=${basename(expect.getState().testPath ?? '')}`;

/** The script's decisions, from its files as they are: nothing of it starts. */
export async function loadDesk(): Promise<Desk> {
  const files = DECISIONS.map(async (name) => (await import(inPage(`${name}.js`))) as object);
  return Object.assign({}, ...(await Promise.all(files))) as Desk;
}

/** The script as a page starts it, once: the test has put its own document there. */
export async function startDesk(): Promise<void> {
  await import(inPage('main.js'));
}

export interface ItemBox {
  guardItemBox(
    box: { readonly form: object; value: string },
    patronId: number,
    t: Words,
    cards: { readonly patterns: readonly string[]; readonly anyCard: boolean },
    nextScan: {
      isOpening(): boolean;
      isItemHeld(): boolean;
      release(): void;
      follow(code: string): void;
      open(code: string): Promise<void>;
    },
  ): void;
}

/** The box for items of Koha's checkout, for a test that brings a page. */
export async function loadItemBox(): Promise<ItemBox> {
  return (await import(inPage('item-box.js'))) as ItemBox;
}

/** The way to the next page, for a test that brings a page. */
export async function loadNextScan(): Promise<NextScan> {
  return (await import(inPage('next-scan.js'))) as NextScan;
}

export interface Typing {
  watchTyping(boxes: readonly ({ readonly value: string; readonly defaultValue: string } | null)[]): void;
  isEarly(): boolean;
  heldKeys(): {
    whenLate(run: () => void): void;
    give(box: object | null, lose: (code?: string) => void, end?: () => void): void;
    letGo(box: object | null, isNext: (code: string) => boolean, lose: (code?: string) => void): void;
    tellNext(): void;
  };
}

/** What knows when a code was begun, for a test that brings a page. */
export async function loadTyping(): Promise<Typing> {
  return (await import(inPage('page.js'))) as Typing;
}

export interface NotedScans {
  notedScans(): readonly {
    readonly id: string;
    readonly lost?: string;
    readonly ends?: string;
    readonly patronId?: number;
  }[];
  noteScan(id: string, withItem: boolean): void;
  noteLost(lost: 'card' | 'item' | 'unsure' | 'code', whose?: { card?: string; patronId?: number }): void;
  itemIsHeld(patronId?: number): boolean;
  releaseItem(): void;
  noteOpened(patronId: number): void;
  noteUsed(patronId: number): void;
  isUnused(patronId: number): boolean;
  noteLeft(patronId: number): void;
  startListOf(staffNumber: number | undefined): void;
}

/** The scans that a window remembers, for a test that brings a page. */
export async function loadNotedScans(): Promise<NotedScans> {
  return (await import(inPage('noted-scans.js'))) as NotedScans;
}
