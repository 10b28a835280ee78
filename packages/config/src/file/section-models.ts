import { UNDETERMINED } from './consent-keys.ts';
import type { MergedSections } from './library-layers.ts';
import type {
  CategoryChoice,
  CategoryFilter,
  ConsentPolicy,
  CopyPolicy,
  OwedPolicy,
  RefreshPolicy,
  RetryPolicy,
  Share,
} from './model.ts';
import type { RefreshKey } from './refresh-key.ts';

/** A category filter of the file in the model's form. */
export function toCategoryFilter(filter: 'all' | { only: string[] } | { except: string[] }): CategoryFilter {
  if (filter === 'all') return { kind: 'all' };
  return 'only' in filter
    ? { kind: 'only', categories: filter.only }
    : { kind: 'except', categories: filter.except };
}

function toCategoryChoice(choice: MergedSections['copy']['category']): CategoryChoice | null {
  if (choice === undefined) return null;
  if (typeof choice === 'string') return { kind: 'one', category: choice };
  return { kind: 'by_home_category', map: choice.by_home_category, otherwise: choice.otherwise ?? null };
}

function toExpiry(expiry: MergedSections['copy']['expiry']): CopyPolicy['expiry'] {
  return typeof expiry === 'string' ? { kind: expiry } : { kind: 'days', days: expiry.days };
}

/** Null also where a text is missing, which is reported elsewhere (check-libraries.ts). */
function toConsent(copy: MergedSections['copy']): ConsentPolicy | null {
  const { consent, consent_text: written, consent_within: withinMs } = copy;
  if (consent === 'none' || written === null) return null;
  const { id: textId, text } = written;
  return { textId, texts: typeof text === 'string' ? { [UNDETERMINED]: text } : text, withinMs };
}

/** How copies are made. */
export function toCopyPolicy(copy: MergedSections['copy']): CopyPolicy {
  return {
    mode: copy.mode,
    category: toCategoryChoice(copy.category),
    formerCategories: copy.former_categories ?? [],
    branch: copy.branch === 'scan' ? { kind: 'scan' } : { kind: 'fixed', branch: copy.branch.fixed },
    fields: copy.fields,
    set: Object.fromEntries(
      Object.entries(copy.set).filter((entry): entry is [string, string] => entry[1] !== null),
    ),
    expiry: toExpiry(copy.expiry),
    passportAttribute: copy.passport_attribute,
    homeKeyAttribute: copy.home_key_attribute,
    consent: toConsent(copy),
    onLookAlike: copy.on_look_alike,
  };
}

/** What a home library lets go. */
export function toShare(share: MergedSections['share']): Share {
  return {
    fields: share.fields,
    categories: toCategoryFilter(share.categories),
    optOutAttribute: share.opt_out_attribute,
  };
}

/** What happens after the copy. */
export function toRetryPolicy(retry: MergedSections['retry']): RetryPolicy {
  return {
    tellKoha: retry.tell_koha,
    checkout: retry.checkout,
    checkoutWithinMs: retry.checkout_within,
    confirm: retry.confirm ?? [],
    giveUpAfterMs: retry.give_up_after,
  };
}

/** When and how far copies are refreshed. */
export function toRefreshPolicy(refresh: RefreshKey): RefreshPolicy | null {
  if (refresh === 'off' || refresh === false) return null;
  return {
    sweep: refresh.sweep === undefined ? null : toTimeOfDay(refresh.sweep),
    atScan: refresh.at_scan,
    applies: {
      card: refresh.card === 'apply',
      expiry: refresh.expiry === 'apply',
      restricted: refresh.restricted === 'apply',
      cardLost: refresh.card_lost === 'apply',
    },
  };
}

/** When it is read what copies owe. */
export function toOwedPolicy(owed: 'off' | false | { readonly read: string }): OwedPolicy | null {
  return owed === 'off' || owed === false ? null : { read: toTimeOfDay(owed.read) };
}

function toTimeOfDay(text: string): { readonly hour: number; readonly minute: number } {
  const [hour, minute] = text.split(':').map(Number);
  return { hour: hour ?? 0, minute: minute ?? 0 };
}

/** Above what a patron is restricted at home, in hundredths; null where nobody is. */
export function toBlockHomeOver(recourse: 'report' | { readonly block_home_over: number }): number | null {
  return recourse === 'report' ? null : Math.round(recourse.block_home_over * 100);
}
