import type { Capabilities } from './transport/capabilities.ts';
import { keepCapabilities } from './setup/keep-capabilities.ts';
import * as operations from './operations.ts';
import { createCalls, type CallOptions, type CallsOptions, type Session } from './transport/session.ts';
import { createTransport, type TransportOptions } from './transport/transport.ts';

/** Operations as methods: without the session, which they have already. */
type Bound<T> = {
  readonly [K in keyof T]: T[K] extends (session: Session, ...args: infer A) => infer R
    ? (...args: A) => R
    : never;
};

/** One library's Koha, in Koha's words. Every method throws KohaError when it gets no usable answer, and nothing else. */
export interface KohaClient extends Bound<typeof operations> {
  readonly library: string;
  capabilities(options?: CallOptions): Promise<Capabilities>;
  /** Opens a connection for a call that will follow, unless one is open. Sends nothing; what fails is that call's to meet. */
  openConnection(): void;
}

export interface KohaClientOptions extends TransportOptions, Omit<CallsOptions, 'transport'> {}

/** A client and what its owner does with it. */
export interface OpenKohaClient extends KohaClient {
  readonly inFlight: number;
  /** Calls that wait for a place under the cap. */
  readonly waiting: number;
  /** The cap from now on; calls under way go on. */
  setMaxInFlight(calls: number): void;
  /** Calls that wait for a place are `busy` at once, for instance since Koha answers nobody. */
  dismissWaiting(): void;
  close(): void;
}

/** Creates the client of one Koha. It sends nothing before its first call; `close` drops its idle connections. */
export function createKohaClient(options: KohaClientOptions): OpenKohaClient {
  const transport = createTransport(options);
  const calls = createCalls({ ...options, transport });
  const capabilities = keepCapabilities(calls, options);
  return {
    ...bind(operations, { ...calls, url: options.url, capabilities }),
    library: options.library,
    capabilities: capabilities.get,
    openConnection: calls.openConnection,
    setMaxInFlight: (size) => calls.slots.resize(size),
    dismissWaiting: () => calls.slots.dismiss(),
    close: () => transport.close(),
    get inFlight() {
      return calls.slots.taken;
    },
    get waiting() {
      return calls.slots.waiting;
    },
  };
}

function bind<T extends Readonly<Record<string, (session: Session, ...args: never[]) => unknown>>>(
  functions: T,
  session: Session,
): Bound<T> {
  const methods = Object.entries(functions).map(([name, operation]) => [
    name,
    (...args: never[]) => operation(session, ...args),
  ]);
  return Object.fromEntries(methods) as Bound<T>;
}
