import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ActSearch, type FoundActs, actJson, actsCsv } from '@passport/queue';
import { type AuditQueryReading, readAuditQuery } from './audit-query.ts';
import { auditPage } from './audit-page.ts';
import { boundsOf } from '../shell/query-reader.ts';
import type { KnownLibrary } from '../overview/read-overview.ts';
import { requirePerson } from '../login/require-login.ts';
import { type Scope, sees } from '../login/scope.ts';
import type { SendPage } from '../shell/send-page.ts';

export interface AuditRoutesDeps {
  readonly basePath: string;
  readonly nameOf: (library: string) => string;
  readonly now: () => number;
  readonly libraries: readonly KnownLibrary[];
  readonly findActs: (search: ActSearch) => Promise<FoundActs>;
}

const SHOWN = 50;
/** Of a download: more than are kept. */
const ALL = 100_000;
const FILTERED = { config: { scope: 'filtered' } } as const;
type Wanted = FastifyRequest<{ Querystring: Readonly<Record<string, unknown>> }>;

/** Who did what and when: a page, and the same as CSV and as JSON. */
export function registerAuditRoutes(app: FastifyInstance, deps: AuditRoutesDeps, send: SendPage): void {
  const { basePath, nameOf, now, findActs } = deps;
  const seenBy = (libraries: Scope): readonly KnownLibrary[] =>
    deps.libraries.filter(({ id }) => sees({ libraries }, id));
  /** Null: a library is named that is not theirs. */
  const read = (request: Wanted): AuditQueryReading | null => {
    const person = requirePerson(request);
    const named = request.query['library'];
    if ([named].flat().some((one) => typeof one === 'string' && one !== '' && !sees(person, one)))
      return null;
    return readAuditQuery(
      request.query,
      seenBy(person.libraries).map(({ id }) => id),
    );
  };
  const find = (request: FastifyRequest, { query }: AuditQueryReading, most: number): Promise<FoundActs> => {
    const { libraries: among } = requirePerson(request);
    const { library, by, act, after } = query;
    return findActs({
      among: among === 'all' ? null : among,
      library,
      by,
      act,
      after,
      ...boundsOf(query),
      most,
    });
  };
  const download = async (
    request: Wanted,
    reply: FastifyReply,
    { format, write }: { format: 'csv' | 'json'; write: (found: FoundActs) => string },
  ): Promise<FastifyReply> => {
    const reading = read(request);
    if (reading === null) return notFound(reply);
    if (reading.problems.length > 0)
      return reply
        .code(400)
        .type('text/plain; charset=utf-8')
        .send(`${reading.problems.join('\n')}\n`);
    const found = await find(request, reading, ALL);
    return reply
      .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8')
      .header('content-disposition', `attachment; filename="passport-audit.${format}"`)
      .send(write(found));
  };

  app.get('/audit', FILTERED, async (request: Wanted, reply) => {
    const reading = read(request);
    if (reading === null) return notFound(reply);
    const found = await find(request, reading, SHOWN);
    const libraries = seenBy(requirePerson(request).libraries);
    const content = auditPage({ basePath, nameOf, nowMs: now(), reading, found, libraries });
    const page = { title: 'Audit', here: 'audit' } as const;
    return send(request, reply.code(reading.problems.length === 0 ? 200 : 400), page, content);
  });
  app.get('/audit.csv', FILTERED, (request: Wanted, reply) =>
    download(request, reply, {
      format: 'csv',
      write: ({ acts }) => `${actsCsv(acts).join('\r\n')}\r\n`,
    }),
  );
  app.get('/audit.json', FILTERED, (request: Wanted, reply) =>
    download(request, reply, {
      format: 'json',
      write: ({ acts }) => JSON.stringify({ acts: acts.map(actJson) }),
    }),
  );
}

/** As for an address that does not exist. */
function notFound(reply: FastifyReply): FastifyReply {
  reply.callNotFound();
  return reply;
}
