export type WorkerLoad = ReturnType<typeof buildWorkerLoad>;

/** So much of the slots may be taken by jobs that wait; the others are for whoever comes next. */
const FREE_UNTIL = 0.75;
/** With so many under way one of them soon has something to write, too. */
const COMPANY = 6;

/** Builds what counts how many jobs this worker process has under way. */
export function buildWorkerLoad(concurrency: number) {
  let active = 0;
  return {
    /** A job begins; the returned function says that it is over. */
    begin() {
      active += 1;
      return (): void => {
        active -= 1;
      };
    },
    /**
     * Whether a job may wait inside its run: nobody else needs its slot. Sending it back to the queue would throw away what
     * it has looked up (30 scans at once at a Koha with two web workers made 126 look-ups, and 8 ended).
     */
    hasFreeSlots: (): boolean => active <= concurrency * FREE_UNTIL,
    /** Whether so many jobs are under way that what each of them writes can go with what another does, a moment later. */
    hasCompany: (): boolean => active >= COMPANY,
  };
}
