import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { capturedLog } from './captured-log.ts';

const SECRETS = ['Hildegard', '21234000000017', 'hunter2', 'midland.example.org', 'tok_9d8f7a'];
const [NAME, CARD, PASSWORD, HOST, TOKEN] = SECRETS as [string, string, string, string, string];

/** An error as got, undici and ioredis make them: everything hangs on it. */
function loadedError(): Error {
  const error = new Error('the request failed', { cause: new Error(`GET of ${CARD} failed for ${NAME}`) });
  return Object.assign(error, {
    code: 'ETIMEDOUT',
    options: { url: `https://${HOST}/?q=${CARD}`, password: PASSWORD, headers: { authorization: TOKEN } },
    command: { name: 'set', args: ['key', CARD] },
    request: { body: NAME },
    response: { body: { surname: NAME } },
    errors: [new Error(NAME)],
    surname: NAME,
    note: CARD,
  });
}

const errorOf = (lines: Record<string, unknown>[]) => (lines[0]?.['error'] ?? {}) as Record<string, string>;

function expectNoSecret(text: string): void {
  expect(SECRETS.filter((secret) => text.includes(secret))).toEqual([]);
}

test('a line is JSON with an ISO time, the level by name, the process and no machine', () => {
  const { log, lines } = capturedLog();
  log.info({ library: 'riverside', ms: 12 }, 'job ended');
  expect(lines()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      name: 'test',
      library: 'riverside',
      ms: 12,
      msg: 'job ended',
    },
  ]);
});

test.each([
  ['as the first argument', (error: Error) => [error]],
  ['with a sentence', (error: Error) => [error, 'it failed']],
  ['under "error"', (error: Error) => [{ error }, 'it failed']],
  ['under "err"', (error: Error) => [{ err: error }]],
  ['under any name, nested', (error: Error) => [{ job: { attempt: { why: error } } }, 'it failed']],
  ['in a list', (error: Error) => [{ problems: [error] }, 'it failed']],
  ['as a value of a format', (error: Error) => ['it failed: %o', error]],
  ['as JSON in a format', (error: Error) => ['it failed: %j', error]],
  ['with fields as a value of a format', (error: Error) => [{ library: 'x' }, 'it failed: %O', error]],
])('of an error %s only type, code, message and frames are printed', (_where, args) => {
  const { log, text } = capturedLog();
  Reflect.apply(log.error, log, args(loadedError()));
  expect(text()).toContain('the request failed');
  expect(text()).toContain('ETIMEDOUT');
  expectNoSecret(text());
});

test('an error is logged with its class, code, message and stack frames', () => {
  const { log, lines } = capturedLog();
  log.error({ error: Object.assign(new TypeError('not a list'), { code: 'ERR_X' }) }, 'it failed');
  const { stack, ...others } = errorOf(lines());
  expect(others).toEqual({ type: 'TypeError', code: 'ERR_X', message: 'not a list' });
  expect(stack?.split('\n').every((line) => line.startsWith('at '))).toBe(true);
  expect(stack).toContain('logger.test.ts');
});

test('a child logger hides in its bindings what a line hides', () => {
  const { log, text } = capturedLog();
  const child = log.child({ error: loadedError(), headers: { authorization: TOKEN }, library: 'riverside' });
  child.child({ more: { cause: NAME } }).info('here');
  expect(text()).toContain('riverside');
  expectNoSecret(text());
});

test('requests, bodies, credentials and arguments of commands are withheld at any depth', () => {
  const { log, text, lines } = capturedLog();
  log.info(
    {
      options: { password: PASSWORD },
      koha: { client_secret: PASSWORD, 'X-Authorization': 'fine', headers: [TOKEN] },
      job: { data: { cardnumber: CARD }, id: 'riverside.evt_1' },
      command: { args: [CARD] },
      body: NAME,
    },
    'planted',
  );
  expectNoSecret(text());
  expect(lines()[0]).toMatchObject({ job: { id: 'riverside.evt_1' }, body: '[not logged]' });
});

test('addresses are cut out of sentences, fields and messages', () => {
  const { log, text } = capturedLog();
  log.info(
    { to: `see redis://:${PASSWORD}@${HOST}:6379/0 for more` },
    `called https://${HOST}/api?q=${CARD}`,
  );
  log.error(new Error(`cannot reach rediss+x://u:${PASSWORD}@${HOST}`));
  expectNoSecret(text());
  expect(text()).toContain('see [url] for more');
});

test('messages that echo their input lose it: JSON.parse and unknown commands of Redis', () => {
  const { log, text } = capturedLog();
  try {
    JSON.parse(`{"a": ${NAME}}`);
  } catch (error) {
    log.error({ error }, 'bad answer');
  }
  log.error(new Error(`ERR unknown command 'HELO', with args beginning with: '${CARD}' '${PASSWORD}' `));
  expectNoSecret(text());
  expect(text()).toContain('not valid JSON');
});

test('a message with lines that look like stack frames adds nothing to the stack', () => {
  const { log, lines } = capturedLog();
  log.error({ error: new Error('first\n    at the card desk') }, 'it failed');
  expect(errorOf(lines())['stack']).not.toContain('card desk');
});

test('objects of classes, buffers and cycles are withheld, not walked', () => {
  const { log, text } = capturedLog();
  class Patron {
    readonly whoever = NAME;
  }
  const cycle: Record<string, unknown> = { library: 'riverside' };
  cycle['self'] = cycle;
  log.info({ who: new Patron(), map: new Map([[CARD, NAME]]), bytes: Buffer.from(NAME), cycle }, 'planted');
  expectNoSecret(text());
  expect(text()).not.toContain(Buffer.from(NAME).join(','));
});

test('whatever hangs on an error, nothing of it is printed', () => {
  const key = fc
    .string({ minLength: 1 })
    .filter((text) => !['message', 'name', 'stack', 'code', '__proto__'].includes(text));
  const value = fc.constantFrom<unknown>(NAME, [NAME], { deep: { deeper: NAME } }, new Error(NAME));
  fc.assert(
    fc.property(fc.dictionary(key, value), (extras) => {
      const { log, text } = capturedLog();
      log.error({ error: Object.assign(new Error('it failed'), extras) }, 'it failed');
      return !text().includes(NAME);
    }),
  );
});

test('levels below the set one print nothing', () => {
  const { log, text } = capturedLog('warn');
  log.info('quiet');
  expect(text()).toBe('');
});
