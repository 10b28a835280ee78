/** What holds where neither the library nor `defaults` says anything, as it would be written in the file. */
export const BUILT_IN_DEFAULTS = {
  koha: { allow_http: false, timeout: '3s', max_in_flight: 8 },
  limits: { events_per_second: 50, burst: 200, backlog: 10_000, copies_per_hour: 500, misses_per_hour: 1000 },
  share: { fields: ['name', 'contact', 'address', 'birth'], categories: 'all', opt_out_attribute: null },
  copy: {
    branch: 'scan',
    fields: ['name', 'contact', 'address', 'birth'],
    set: {},
    expiry: 'home',
    passport_attribute: 'PASSPORTED',
    home_key_attribute: 'PASSPORTED_ID',
    on_look_alike: 'stop',
  },
  eligibility: {
    expired: 'refuse',
    restricted: 'refuse',
    card_lost: 'refuse',
    address_unconfirmed: 'refuse',
    max_debt: null,
    min_age: null,
    show_reasons: true,
  },
  retry: { tell_koha: true, checkout: true, checkout_within: '90s', confirm: [], give_up_after: '15m' },
  library: { enabled: true, webhook_secrets: [], cards: [] },
  locate: { strict: false },
  retention: { finished: '24h', failed: '7d', receipts: '400d' },
  agreement: { categories: 'all' },
} as const;
