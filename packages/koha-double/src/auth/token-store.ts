interface Token {
  readonly patronId: number;
  readonly clientId: string;
  readonly endsAtMs: number;
}

/** OAuth2 tokens in force. An expired one is dropped at the moment it is used, as Koha does. */
export class TokenStore {
  readonly #tokens = new Map<string, Token>();

  add(token: string, owner: Token): void {
    this.#tokens.set(token, owner);
  }

  find(token: string, nowMs: number): Token | undefined {
    const found = this.#tokens.get(token);
    if (found === undefined || found.endsAtMs > nowMs) return found;
    this.#tokens.delete(token);
    return undefined;
  }

  revokeAll(): void {
    this.#tokens.clear();
  }
}
