import { collate } from '../collation.ts';
import { IndexMap } from '../index-map.ts';
import type { AttributeRow, PatronRow } from './patron-row.ts';

/** The borrowers of one Koha with the indexes that its database has. Says nothing of rules: those come before. */
export class PatronTable {
  readonly #rows = new Map<number, PatronRow>();
  readonly #byCard = new IndexMap();
  readonly #byUserid = new IndexMap();
  readonly #bySurname = new IndexMap();
  readonly #byAttribute = new IndexMap();
  readonly #byClient = new Map<string, number>();
  #nextId = 1;
  #nextAttributeId = 1;
  #nextRestrictionId = 1;

  get size(): number {
    return this.#rows.size;
  }

  rows(): Iterable<PatronRow> {
    return this.#rows.values();
  }

  get(id: number): PatronRow | undefined {
    return this.#rows.get(id);
  }

  /** A number that no patron has or had. */
  takeId(): number {
    return this.#nextId++;
  }

  takeAttributeId(): number {
    return this.#nextAttributeId++;
  }

  takeRestrictionId(): number {
    return this.#nextRestrictionId++;
  }

  put(row: PatronRow): void {
    const before = this.#rows.get(row.patron_id);
    if (before !== undefined) this.#unindex(before);
    this.#rows.set(row.patron_id, row);
    this.#index(row);
  }

  delete(id: number): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#unindex(row);
    this.#rows.delete(id);
  }

  withCard(card: string): PatronRow | undefined {
    return this.#first(this.#byCard.ids(collate(card)));
  }

  withUserid(userid: string): PatronRow | undefined {
    return this.#first(this.#byUserid.ids(collate(userid)));
  }

  withClient(clientId: string): PatronRow | undefined {
    const id = this.#byClient.get(clientId);
    return id === undefined ? undefined : this.#rows.get(id);
  }

  idsWithCard(card: string): ReadonlySet<number> {
    return this.#byCard.ids(collate(card));
  }

  idsWithUserid(userid: string): ReadonlySet<number> {
    return this.#byUserid.ids(collate(userid));
  }

  idsWithSurname(surname: string): ReadonlySet<number> {
    return this.#bySurname.ids(collate(surname));
  }

  idsWithAttribute(type: string, value: string): ReadonlySet<number> {
    return this.#byAttribute.ids(attributeKey(type, value));
  }

  #first(ids: ReadonlySet<number>): PatronRow | undefined {
    for (const id of ids) return this.#rows.get(id);
    return undefined;
  }

  #index(row: PatronRow): void {
    this.#eachKey(row, (index, key) => index.add(key, row.patron_id));
    for (const key of row.api_keys) this.#byClient.set(key.client_id, row.patron_id);
  }

  #unindex(row: PatronRow): void {
    this.#eachKey(row, (index, key) => index.remove(key, row.patron_id));
    for (const key of row.api_keys) this.#byClient.delete(key.client_id);
  }

  #eachKey(row: PatronRow, visit: (index: IndexMap, key: string) => void): void {
    const { cardnumber, userid, surname } = row.columns;
    if (cardnumber !== null) visit(this.#byCard, collate(cardnumber));
    if (userid !== null) visit(this.#byUserid, collate(userid));
    // Who has no surname is found with those whose surname is blank.
    visit(this.#bySurname, collate(surname ?? ''));
    for (const attribute of row.attributes) visit(this.#byAttribute, keyOf(attribute));
  }
}

function keyOf(attribute: AttributeRow): string {
  return attributeKey(attribute.type, attribute.value ?? '');
}

function attributeKey(type: string, value: string): string {
  return `${collate(type)}\n${collate(value)}`;
}
