import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Double } from '../double.ts';
import { parseJson } from '../parse-json.ts';
import { isRecord } from '../record.ts';
import { isSeedName, seedNames } from '../seed/seed-name.ts';
import type { Controls } from './controls.ts';
import { applySettings } from './apply-settings.ts';
import { parseFaults } from './fault-queue.ts';

const base = '/_double';

/** The control routes: JSON in and out, never part of Koha, never in the call log. */
export function registerControl(app: FastifyInstance, double: Double, controls: Controls): void {
  registerRows(app, controls);
  registerLog(app, controls);
  registerSettings(app, double, controls);
}

function registerRows(app: FastifyInstance, controls: Controls): void {
  app.get(`${base}/state`, (request) => controls.state(queryText(request, 'cardnumber')));
  app.put(`${base}/patrons/:key`, (request, reply) => {
    const body = parseJson(request.body);
    return isRecord(body) ? controls.putPatron(keyOf(request), body) : refuse(reply, 'an object of columns');
  });
  app.put(`${base}/items/:key`, (request, reply) => {
    const body = parseJson(request.body);
    return isRecord(body) ? controls.putItem(keyOf(request), body) : refuse(reply, 'an object of columns');
  });
  app.post(`${base}/patrons/:key/anonymize`, (request, reply) =>
    changed(reply, controls.anonymizePatron(keyOf(request))),
  );
  app.post(`${base}/patrons/:key/merge`, (request, reply) => {
    const body = parseJson(request.body);
    const into = isRecord(body) ? body['into'] : undefined;
    if (typeof into !== 'string') return refuse(reply, 'into: the card of the patron that is kept');
    return changed(reply, controls.mergePatron(keyOf(request), into));
  });
  app.delete(`${base}/patrons/:key`, (request, reply) => gone(reply, controls.deletePatron(keyOf(request))));
  app.delete(`${base}/items/:key`, (request, reply) => gone(reply, controls.deleteItem(keyOf(request))));
}

function registerLog(app: FastifyInstance, controls: Controls): void {
  app.get(`${base}/calls`, (request) => controls.calls(Number(queryText(request, 'since') ?? 0)));
  app.delete(`${base}/calls`, (_request, reply) => done(reply, () => controls.clearCalls()));
  app.get(`${base}/faults`, () => controls.faultsLeft());
  app.delete(`${base}/faults`, (_request, reply) => done(reply, () => controls.clearFaults()));
  app.post(`${base}/faults`, (request, reply) => {
    const faults = parseFaults(parseJson(request.body));
    if (typeof faults === 'string') return refuse(reply, faults);
    controls.addFaults(faults);
    return controls.faultsLeft();
  });
}

function registerSettings(app: FastifyInstance, double: Double, controls: Controls): void {
  app.get(`${base}/settings`, () => controls.settings());
  app.put(`${base}/settings`, (request, reply) => {
    const body = parseJson(request.body);
    if (!isRecord(body)) return refuse(reply, 'an object of settings');
    const fault = applySettings(double, body);
    return fault === null ? controls.settings() : refuse(reply, fault);
  });
  app.put(`${base}/seed`, (request, reply) => {
    const body = parseJson(request.body);
    const name = isRecord(body) ? body['name'] : undefined;
    if (name !== 'empty' && !isSeedName(name)) return refuse(reply, `name: empty, ${seedNames.join(', ')}`);
    return done(reply, () => controls.seed(name));
  });
  app.delete(`${base}/tokens`, (_request, reply) => done(reply, () => controls.revokeTokens()));
}

function done(reply: FastifyReply, act: () => void): FastifyReply {
  act();
  return reply.code(204).send();
}

function gone(reply: FastifyReply, wasThere: boolean): FastifyReply {
  return wasThere ? reply.code(204).send() : reply.code(404).send({ error: 'no such row' });
}

function changed(reply: FastifyReply, row: object | null): FastifyReply {
  return row === null
    ? reply.code(409).send({ error: 'no such patron, or Koha leaves it alone' })
    : reply.send(row);
}

function refuse(reply: FastifyReply, expected: string): FastifyReply {
  return reply.code(400).send({ error: `not understood: ${expected}` });
}

function keyOf(request: FastifyRequest): string {
  return (request.params as { readonly key: string }).key;
}

function queryText(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}
