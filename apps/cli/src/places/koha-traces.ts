/** What a Koha itself keeps of a patron after the record is deleted, and the command that clears it there. */
export interface KohaTrace {
  /** Koha's table. */
  readonly table: string;
  readonly holds: string;
  /** Dry without `--confirm`. Koha clears by age, for all patrons at once, and counts from one day. */
  readonly command: string;
}

/**
 * Witness in Koha: `misc/cronjobs/cleanup_database.pl` (`--deleted-patrons`, `--logs`, `--log-module`, `--confirm`; a zero is
 * ignored or means the default), `Koha/Patron.pm` (`logaction("MEMBERS", ...)` under the preference BorrowersLog).
 */
export const KOHA_TRACES: readonly KohaTrace[] = [
  {
    table: 'deletedborrowers',
    holds: 'the whole record, from its deletion on',
    command: 'misc/cronjobs/cleanup_database.pl --deleted-patrons DAYS --confirm -v',
  },
  {
    table: 'action_logs',
    holds: 'changes with the values before and after, under the preference BorrowersLog',
    command: 'misc/cronjobs/cleanup_database.pl --logs DAYS --log-module MEMBERS --confirm -v',
  },
];
