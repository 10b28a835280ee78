import { findAvailability, type Wish } from '../checkouts/availability.ts';
import { checkIn } from '../checkouts/check-in.ts';
import { checkOut } from '../checkouts/check-out.ts';
import type { Double } from '../double.ts';
import type { ItemRow } from '../items/item-table.ts';
import { transformCard } from '../patrons/patron-columns.ts';
import { isExpired, isRestricted, type PatronRow } from '../patrons/patron-table.ts';
import { firstScan } from '../plugin/first-scan.ts';
import { asText, isRecord } from '../record.ts';
import { isFrom } from '../release.ts';
import { field, sipTime, type SipMessage } from './sip-message.ts';

/** An account of `SIPconfig.xml`. Koha takes its institution for the branch that acts (`api_auth`), whatever it is. */
export interface SipAccount {
  readonly user: string;
  readonly password: string;
  readonly institution: string;
}

/** `find_by_identifier` of `Koha/Patrons.pm`: login name, card, and from 26.05 on any unique attribute. */
export function findPatron({ db, settings }: Double, identifier: string): PatronRow | undefined {
  const known = db.patrons.first('userid', identifier) ?? db.patrons.withCard(identifier);
  if (known !== undefined || !isFrom(settings.release, '26.05')) return known;
  for (const { code, unique_id: isUnique } of db.attributeTypes.values()) {
    const [id] = isUnique ? db.patrons.idsWithAttribute(code, identifier) : [];
    if (id !== undefined) return db.patrons.get(id);
  }
  return undefined;
}

/** The plugin's hook comes first, and the message waits for it: `patron_barcode_transform` in `handle_patron_info` and `handle_checkout`. */
async function identify(double: Double, { user, institution }: SipAccount, sent: string): Promise<string> {
  const cardnumber = transformCard(double, sent);
  const find = (identifier: string) => findPatron(double, identifier);
  await firstScan(
    double,
    { cardnumber, branch: institution, interface: 'sip', operator: null, sipAccount: user },
    find,
  );
  return cardnumber;
}

const INVALID_CARD = 'Invalid cardnumber';
const GREETINGS = 'Greetings from Koha. ';

const now = ({ clock }: Double): string => sipTime(clock.timestamp());

/** `patron_status_string`: what is denied, and the card reported lost; the flags of limits are never set here. */
function statusOf({ clock }: Double, { columns, ...patron }: PatronRow): string {
  const today = clock.today();
  const row = { columns, ...patron };
  const isLost = columns.patron_card_lost === true || columns.incorrect_address === true;
  const isDenied = isRestricted(row, today) || isExpired(row, today) || isLost;
  return `${(isDenied ? 'Y' : ' ').repeat(4)}${isLost ? 'Y' : ' '}${' '.repeat(9)}`;
}

const namesOf = ({ columns }: PatronRow): string =>
  [columns['firstname'], columns['surname']].map(asText).join(' ').trim();

/** `build_patron_status`, of a patron who is shown so. No password is right: a copy has the password `!`. */
function patronStatus(
  double: Double,
  { institution }: SipAccount,
  { fixed, fields }: SipMessage,
  shown: { readonly patron: PatronRow; readonly flags: string; readonly message: string } | null,
): string {
  const language = fixed.slice(0, 3);
  const rest = field('AO', institution);
  if (shown === null)
    return [
      `24YYYY${' '.repeat(10)}${language}${now(double)}`,
      field('AE', ''),
      field('AA', fields.get('AA') ?? ''),
      field('BL', 'N'),
      field('AF', INVALID_CARD),
      rest,
    ].join('');
  const { patron, flags, message } = shown;
  return [
    `24${flags}${language}${now(double)}`,
    field('AE', namesOf(patron)),
    field('AA', patron.columns.cardnumber ?? ''),
    field('BL', 'Y'),
    field('CQ', 'N'),
    field('AF', fields.get('AD') ? `${message} -- Invalid password` : message),
    rest,
  ].join('');
}

/** `handle_patron_status` calls no plugin. */
function requestStatus(double: Double, account: SipAccount, message: SipMessage): string {
  const patron = findPatron(double, message.fields.get('AA') ?? '');
  const shown = patron === undefined ? null : { patron, flags: statusOf(double, patron), message: GREETINGS };
  return patronStatus(double, account, message, shown);
}

/** `handle_block_patron`: stores nothing, and dies of a card that nobody has (`$patron->language`), and the connection with it. */
function blockPatron(double: Double, account: SipAccount, message: SipMessage): string | null {
  const patron = findPatron(double, transformCard(double, message.fields.get('AA') ?? ''));
  if (patron === undefined) return null;
  const flags = `YYYY${statusOf(double, patron).slice(4)}`;
  const shown = { patron, flags, message: 'Block feature not implemented' };
  return patronStatus(double, account, { ...message, fixed: '000' }, shown);
}

/** `handle_fee_paid`. Of a card that nobody has, an older server dies (run on 19.06), the newest answers (read in 26.05): so do these. */
function payFee(double: Double, { institution }: SipAccount, { fields }: SipMessage): string | null {
  const card = transformCard(double, fields.get('AA') ?? '');
  const patron = findPatron(double, card);
  if (patron === undefined && !isFrom(double.settings.release, '26.05')) return null;
  const amount = Number(fields.get('BV'));
  const isPaid = patron !== undefined && amount > 0;
  if (isPaid) double.db.patrons.put({ ...patron, account_balance: patron.account_balance - amount });
  return [
    `38${isPaid ? 'Y' : 'N'}${now(double)}`,
    field('AO', institution),
    field('AA', card),
    patron === undefined ? field('AF', 'Invalid patron barcode.') : '',
  ].join('');
}

async function patronInformation(
  double: Double,
  account: SipAccount,
  { fixed, fields }: SipMessage,
): Promise<string> {
  const language = fixed.slice(0, 3);
  const sent = fields.get('AA') ?? '';
  const patron = findPatron(double, await identify(double, account, sent));
  if (patron === undefined) {
    const head = `64YYYY${' '.repeat(10)}${language}${now(double)}${'0000'.repeat(6)}`;
    const rest = [field('AA', sent), field('AE', ''), field('BL', 'N'), field('AF', INVALID_CARD)];
    return `${head}${field('AO', account.institution)}${rest.join('')}`;
  }
  const { columns } = patron;
  const loans = String(double.db.checkouts.countOfPatron(patron.patron_id)).padStart(4, '0');
  const counts = `00000000${loans}000000000000`;
  return [
    `64${statusOf(double, patron)}${language}${now(double)}${counts}`,
    field('AO', account.institution),
    field('AA', columns.cardnumber ?? ''),
    field('AE', namesOf(patron)),
    field('BL', 'Y'),
    fields.has('AD') ? field('CQ', 'N') : '',
    field('CC', '5'),
    field('PC', columns.category_id),
    field('AF', GREETINGS),
  ].join('');
}

const titleOf = ({ db }: Double, { columns, hidden }: ItemRow): string => {
  const { biblio } = hidden;
  const known = isRecord(biblio) ? asText(biblio['title']) : null;
  return known ?? db.biblios.get(columns.biblio_id)?.title ?? '';
};

/** `do_checkout` of `C4/SIP/ILS/Transaction/Checkout.pm`: a renewal needs no confirmation, everything else that does is a refusal. */
async function checkOutTo(double: Double, account: SipAccount, { fields }: SipMessage): Promise<string> {
  const { institution } = account;
  const card = await identify(double, account, fields.get('AA') ?? '');
  const barcode = fields.get('AB') ?? '';
  const patron = findPatron(double, card);
  const item = double.db.items.withBarcode(barcode);
  const title = item === undefined ? '' : titleOf(double, item);
  const common = [field('AO', institution), field('AA', card), field('AB', barcode), field('AJ', title)];
  const refuse = (why: string): string =>
    `120NUN${now(double)}${common.join('')}${field('AH', '')}${field('AF', why)}${field('BL', patron === undefined ? 'N' : 'Y')}`;
  if (patron === undefined) return refuse('Invalid cardnumber');
  if (item === undefined) return refuse('Invalid Item Barcode');
  const wish: Wish = { double, patron, item, actingLibrary: institution, isSuperlibrarian: false };
  const { blockers, confirms } = findAvailability(wish);
  const reasons = [blockers, confirms]
    .flatMap((group) => Object.keys(group))
    .filter((key) => /^[A-Z_]+$/.test(key) && key !== 'RENEW_ISSUE');
  if (reasons.length > 0) return refuse(`Item cannot be issued: ${reasons.join(' ')}`);
  const renews = Object.hasOwn(confirms, 'RENEW_ISSUE') ? 'Y' : 'N';
  const { due_date: due } = checkOut(wish);
  return `121${renews}NY${now(double)}${common.join('')}${field('AH', sipTime(due))}`;
}

/** `do_checkin`: what is not checked out is no failure of transmission, and not ok. */
function checkInItem(double: Double, { institution }: SipAccount, { fields }: SipMessage): string {
  const barcode = fields.get('AB') ?? '';
  const item = double.db.items.withBarcode(barcode);
  const checkout = item === undefined ? undefined : double.db.checkouts.ofItem(item.item_id);
  if (item !== undefined) checkIn(double, item, institution);
  const patron = double.db.patrons.get(checkout?.patron_id ?? 0);
  return [
    `10${checkout === undefined ? '0NNY' : '1YNN'}${now(double)}`,
    field('AO', institution),
    field('AB', barcode),
    field('AQ', asText(item?.columns['home_library_id'])),
    item === undefined ? '' : field('AJ', titleOf(double, item)),
    patron === undefined ? '' : field('AA', patron.columns.cardnumber ?? ''),
  ].join('');
}

/** What Koha answers to a message of somebody who is logged in; null: its process dies of it, and the connection ends. */
export async function answerMessage(
  double: Double,
  account: SipAccount,
  message: SipMessage,
): Promise<string | null> {
  switch (message.code) {
    case '23':
      return requestStatus(double, account, message);
    case '01':
      return blockPatron(double, account, message);
    case '37':
      return payFee(double, account, message);
    case '63':
      return patronInformation(double, account, message);
    case '11':
      return checkOutTo(double, account, message);
    case '09':
      return checkInItem(double, account, message);
    default:
      return null;
  }
}
