import { buildScanEvent, type SeededRandom } from '@passport/testkit';

/** A body of a request to the receiver; `isEvent` where a scan was left as it must be. */
export interface FuzzBody {
  readonly bytes: Buffer;
  readonly isEvent: boolean;
}

/** In every card and item that is made up here: it must be found nowhere afterwards. */
export const PLANTED = 'Plantedfuzz';

const SCRIPTS = [
  [0x20, 0x7e],
  [0xa1, 0x24f],
  [0x370, 0x3ff],
  [0x400, 0x4ff],
  [0x590, 0x5ff],
  [0x600, 0x6ff],
  [0x900, 0x97f],
  [0x4e00, 0x9fff],
  [0x1f300, 0x1f64f],
  [0x0, 0x1f],
  [0x200b, 0x202e],
  [0xd800, 0xdfff],
  [0xfff0, 0xffff],
] as const;

function text(
  random: SeededRandom,
  longest: number,
  scripts: readonly (readonly [number, number])[],
): string {
  const characters = Array.from({ length: random.int(longest + 1) }, () => {
    const [first, last] = random.pick(scripts);
    return String.fromCodePoint(first + random.int(last - first + 1));
  });
  return characters.join('');
}

const anyText = (random: SeededRandom, longest = 60): string => text(random, longest, SCRIPTS);
/** Letters of nine scripts, without control characters and halves of characters. */
const goodText = (random: SeededRandom, longest: number): string =>
  text(random, longest, SCRIPTS.slice(0, 9)).replace(/\p{Cc}/gu, '');

function anyValue(random: SeededRandom, depth = 0): unknown {
  const kinds: readonly (() => unknown)[] = [
    () => null,
    () => random.next() < 0.5,
    () => random.pick([0, -0, 1e308, -1, 2 ** 53, 0.1, 1e-9, 4_294_967_296]),
    () => anyText(random),
    () => PLANTED,
    () => Array.from({ length: random.int(4) }, () => anyValue(random, depth + 1)),
    () =>
      Object.fromEntries(
        Array.from({ length: random.int(4) }, () => [anyText(random, 12), anyValue(random, depth + 1)]),
      ),
    () => JSON.parse('{"__proto__":{"cardnumber":"x"},"constructor":1,"toString":null}') as unknown,
  ];
  return random.pick(depth > 4 ? kinds.slice(0, 5) : kinds)();
}

function scan(random: SeededRandom, change: Record<string, unknown> = {}) {
  const card = `${PLANTED}${goodText(random, 15)}x`;
  const item = random.pick([null, undefined, `${PLANTED}${random.int(1_000)}`]);
  return buildScanEvent({
    cardnumber: card,
    item_barcode: item,
    interface: random.pick(['staff', 'self_check', 'sip', 'api']),
    operator: random.pick([null, 51, undefined]),
    ...change,
  });
}

const json = (value: unknown, isEvent = false): FuzzBody => ({
  bytes: Buffer.from(JSON.stringify(value) ?? ''),
  isEvent,
});
const raw = (bytes: Buffer | string): FuzzBody => ({ bytes: Buffer.from(bytes), isEvent: false });

const FIELDS = ['cardnumber', 'branch', 'item_barcode', 'interface', 'operator'];

const BODIES: readonly ((random: SeededRandom) => FuzzBody)[] = [
  (random) => json(scan(random), true),
  (random) => json(scan(random), true),
  (random) =>
    json({ ...scan(random), [goodText(random, 8)]: anyValue(random), extra: anyValue(random) }, false),
  (random) => json(scan(random, { [random.pick(FIELDS)]: anyValue(random) })),
  (random) => json({ ...scan(random), [random.pick(['type', 'timestamp', 'data'])]: anyValue(random) }),
  (random) => json(anyValue(random)),
  (random) => {
    const whole = JSON.stringify(scan(random));
    return raw(whole.slice(0, random.int(whole.length)));
  },
  (random) => {
    const bytes = Buffer.from(JSON.stringify(scan(random)));
    for (let n = random.int(4); n >= 0; n -= 1) bytes[random.int(bytes.length)] = random.int(256);
    return raw(bytes);
  },
  (random) => raw(Buffer.from(Array.from({ length: random.int(2_000) }, () => random.int(256)))),
  (random) => raw(`${'['.repeat(random.int(8_000))}${']'.repeat(random.int(8_000))}`),
  (random) => raw('{"a":'.repeat(random.int(3_000))),
  (random) => {
    const bytes = Buffer.from(
      JSON.stringify(scan(random)).padEnd(random.pick([15_000, 16_384, 16_400, 40_000])),
    );
    return { bytes, isEvent: bytes.length <= 16_384 };
  },
  (random) => raw(JSON.stringify(scan(random)).replace('"data"', `"data":{"cardnumber":"1"},"data"`)),
  (random) =>
    raw(`{"type":"patron.not_found","timestamp":${random.pick(['1e400', '-', '"\\u0000"', '"\\ud800"'])}}`),
  (random) => raw(`\uFEFF${JSON.stringify(scan(random))}`),
  () => raw(''),
];

/** A body of any kind: good scans, scans with something changed, JSON of any shape, bytes of any kind and size. */
export function buildFuzzBody(random: SeededRandom): FuzzBody {
  return random.pick(BODIES)(random);
}
