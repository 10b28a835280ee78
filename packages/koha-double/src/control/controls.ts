import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseJson } from '../api/read-request.ts';
import type { LoanRow } from '../checkouts/checkout-table.ts';
import type { Double } from '../double.ts';
import { anonymizePatron, mergePatrons } from '../patrons/anonymize-and-merge.ts';
import type { CopyRow } from '../plugin/plugin-tables.ts';
import { isRecord, type Columns } from '../record.ts';
import { loadSeed } from '../seed/load-seed.ts';
import type { Credentials } from '../seed/seed-data.ts';
import { resolveSeed, type SeedChoice } from '../seed/seeds.ts';
import { applySettings, readSettings, type SettingsChange } from './apply-settings.ts';
import { parseFaults, type FaultDraft } from './fault-queue.ts';
import { putItem, putPatron, readState, storedItem, storedPatron } from './put-rows.ts';

export type Controls = ReturnType<typeof buildControls>;

/** The control routes (`packages/koha-double/README.md`) as functions in the same process. */
export function buildControls(double: Double, credentials: Credentials) {
  const withCard = (card: string) => double.db.patrons.withCard(card);
  return {
    /** All rows, or those of one card. */
    state: (cardnumber?: string) => readState(double, cardnumber),
    putPatron: (cardnumber: string, columns: Columns) =>
      storedPatron(double, putPatron(double, cardnumber, columns)),
    deletePatron: (cardnumber: string) => {
      const row = withCard(cardnumber);
      if (row !== undefined) double.db.patrons.delete(row.patron_id);
    },
    /** Koha's anonymising of a patron, who gets another card by it; null: there is none, or he has checkouts. */
    anonymizePatron: (cardnumber: string) => {
      const row = withCard(cardnumber);
      const anonymized = row === undefined ? null : anonymizePatron(double, row);
      return anonymized === null ? null : storedPatron(double, anonymized);
    },
    /** Merges a patron into another, who is returned; null: one is missing, or Koha does not merge them. */
    mergePatron: (cardnumber: string, into: string) => {
      const [other, keeper] = [withCard(cardnumber), withCard(into)];
      const kept = other === undefined || keeper === undefined ? null : mergePatrons(double, keeper, other);
      return kept === null ? null : storedPatron(double, kept);
    },
    /** What the plugin remembers of a copy, whatever it was. */
    putCopy: (row: CopyRow) => void double.db.copies.put(row),
    /** As if the last scan and check of this copy were so much longer ago. */
    ageCopy: (patronId: number, ms: number) => double.db.copies.age(patronId, ms),
    /** Rows of Koha's statistics, as if they had been written then; `at` begins with a day of this Koha's clock. */
    addLoans: (rows: readonly LoanRow[]) => void double.db.loans.push(...rows),
    putItem: (barcode: string, columns: Columns) => storedItem(putItem(double, barcode, columns)),
    deleteItem: (barcode: string) => {
      const row = double.db.items.withBarcode(barcode);
      if (row !== undefined) double.db.items.delete(row.item_id);
    },
    /** The API calls, numbered from 1; those above `since` only. */
    calls: (since = 0) => double.calls.since(since),
    clearCalls: () => double.calls.clear(),
    addFaults: (faults: readonly FaultDraft[]) => double.faults.add(faults),
    faultsLeft: () => double.faults.left(),
    clearFaults: () => double.faults.clear(),
    settings: () => readSettings(double),
    /** Throws a RangeError that says what was not understood. */
    putSettings: (change: SettingsChange) => {
      const fault = applySettings(double, { ...change });
      if (fault !== null) throw new RangeError(fault);
    },
    /** Replaces all data. */
    seed: (choice: SeedChoice) => loadSeed(double, resolveSeed(choice, credentials)),
    /** Every token so far is refused with 401 from now on. */
    revokeTokens: () => double.tokens.revokeAll(),
  };
}

interface ControlRequest {
  /** The card or barcode in the path. */
  readonly key: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What is answered with 400; all else is answered as it is, nothing with 204. */
class NotUnderstood extends Error {}

type Handle = (request: ControlRequest) => unknown;
export type ControlRoutes = Readonly<Record<string, Handle>>;

/** The control routes of a double: JSON in and out, never part of Koha, never in the call log. */
export function buildRoutes(double: Double, controls: Controls): ControlRoutes {
  return {
    'GET state': ({ query }) => controls.state(query['cardnumber']),
    'PUT patrons/:key': ({ key, body }) => controls.putPatron(key, columnsOf(body)),
    'PUT items/:key': ({ key, body }) => controls.putItem(key, columnsOf(body)),
    'GET calls': () => controls.calls(),
    'DELETE calls': controls.clearCalls,
    'POST faults': ({ body }) => {
      const faults = parseFaults(body);
      if (typeof faults === 'string') throw new NotUnderstood(faults);
      controls.addFaults(faults);
      return controls.faultsLeft();
    },
    'PUT settings': ({ body }) => {
      const fault = applySettings(double, columnsOf(body));
      if (fault !== null) throw new NotUnderstood(fault);
      return controls.settings();
    },
    'DELETE tokens': controls.revokeTokens,
  };
}

/** Puts the routes of that name on the server of all doubles; `routesOf` says whose a request is. */
export function registerControl(
  app: FastifyInstance,
  names: readonly string[],
  routesOf: (request: FastifyRequest) => ControlRoutes,
): void {
  for (const route of names) {
    const [method = '', path = ''] = route.split(' ');
    app.route({
      method,
      url: `/_double/${path}`,
      handler: (request, reply) => answer(request, reply, routesOf(request)[route]),
    });
  }
}

function columnsOf(body: unknown): Columns {
  if (!isRecord(body)) throw new NotUnderstood('an object of columns');
  return body;
}

function answer(request: FastifyRequest, reply: FastifyReply, handle: Handle | undefined): FastifyReply {
  try {
    const result = handle?.({
      key: (request.params as { readonly key?: string }).key ?? '',
      query: request.query as Readonly<Record<string, string>>,
      body: parseJson(request.body),
    });
    return result === undefined ? reply.code(204).send() : reply.send(result);
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    return reply.code(400).send({ error: `not understood: ${error.message}` });
  }
}
