/** A logged-in staff browser. The CSRF token is tied to it. */
export interface StaffSession {
  readonly id: string;
  readonly csrfToken: string;
  readonly patronId: number;
  readonly libraryId: string;
}

/** Sessions by their cookie. */
export class StaffSessions {
  readonly #sessions = new Map<string, StaffSession>();

  get(id: string): StaffSession | undefined {
    return this.#sessions.get(id);
  }

  put(session: StaffSession): void {
    this.#sessions.set(session.id, session);
  }

  clear(): void {
    this.#sessions.clear();
  }
}
