import type { Respond } from './fake-receiver.ts';
import type { Reply, TestKoha } from './with-koha.ts';

/** One of the requests of a case and what it is answered. `$sent` is the id of the last event that was sent. */
export interface Step {
  readonly request: string;
  readonly as?: "another's key" | "another's password";
  readonly body?: unknown;
  /** The body's type; application/json. */
  readonly type?: string;
  readonly status: number;
  /** What the answer has: it may have more keys, but not in lists. */
  readonly answer?: Readonly<Record<string, unknown>>;
  readonly lacks?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** As many steps, by how each differs. */
  readonly each?: readonly Partial<Step>[];
}

export interface Case {
  /** With `each`, how the names begin. */
  readonly name: string;
  /** What the receiver answers; it accepts. */
  readonly receiver?: 'silent' | NonNullable<ReturnType<Respond>>;
  readonly configured?: 'nothing' | 'no desk';
  /** From number 2 on. */
  readonly patrons?: readonly {
    readonly cardnumber: string;
    readonly home_key?: string;
    readonly is_copy?: boolean;
    readonly owes?: number;
    readonly protected?: boolean;
  }[];
  /** Barcodes of items that are here. */
  readonly items?: readonly string[];
  readonly steps: readonly Step[];
  /** Every request that the receiver had. */
  readonly sent?: readonly string[];
  /** As many cases, by the receiver of each and by how their first step differs. */
  readonly each?: readonly (Pick<Case, 'name' | 'receiver'> & Partial<Step>)[];
}

const CLERK = 'CLERK';
const BASIC = `Basic ${Buffer.from('clerk:a-password-1').toString('base64')}`;

/** Sets a double up as a case says; the plugin's `t/lib/Passport/TestRequests.pm` does the same. */
export function prepare(koha: TestKoha, { configured, patrons = [], items = [] }: Case): void {
  const receiver_url = koha.settings().webhook?.receiver_url ?? '';
  koha.putSettings({
    RESTBasicAuth: '1',
    webhook:
      configured === 'nothing'
        ? null
        : {
            receiver_url,
            secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
            library: 'riverside',
            patterns: [String.raw`^21234\d{9}$`],
            staff_wait_ms: 0,
            self_check_wait_ms: 0,
            sip: ['desk1'],
            ...(configured === 'no desk' && { off: ['staff'] }),
          },
  });
  for (const { cardnumber, home_key: key, is_copy: isCopy, owes, protected: isProtected } of patrons) {
    const { patron_id } = koha.putPatron(cardnumber, {
      ...(key !== undefined && { extended_attributes: [{ type: 'PASSPORTED_ID', value: key }] }),
      ...(owes !== undefined && { account_balance: owes }),
      ...(isProtected !== undefined && { protected: isProtected }),
    });
    const home_key = patron_id > 2 && key !== undefined ? key : 'midland:8';
    if (isCopy === true) koha.putCopy({ patron_id, version: 0, home_key, fields: {} });
  }
  for (const barcode of items)
    koha.putItem(barcode, { item_type_id: 'BK', home_library_id: 'MAIN', holding_library_id: 'MAIN' });
  const permissions = ['borrowers:1', 'circulate:1'];
  koha.putPatron(CLERK, { userid: 'clerk', password: 'a-password-1', permissions });
}

/** Sends the request of a step to a double, as whom it says. */
export function send(koha: TestKoha, { request, as, body, type }: Step, sent: () => string): Promise<Reply> {
  const [method = '', path = ''] = request.replaceAll('$sent', sent).split(' ');
  koha.putSettings({ plugin_service_user: as === "another's key" ? CLERK : 'PASSPORT-SERVICE' });
  return koha.request(method, `/api/v1/contrib/passport${path}`, {
    ...(body !== undefined && { body: JSON.stringify(body) }),
    headers: {
      ...(body !== undefined && { 'content-type': type ?? 'application/json' }),
      ...(as === "another's password" && { authorization: BASIC }),
    },
  });
}
