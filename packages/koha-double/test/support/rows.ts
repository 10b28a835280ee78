import type { Reply } from './with-koha.ts';

export type Row = Readonly<Record<string, unknown>>;

/** A body that Koha accepts; tests break one thing of it. */
export function patronBody(change: Row = {}): Row {
  return {
    cardnumber: '21234000000017',
    surname: 'Kovač',
    firstname: 'Ana',
    date_of_birth: '1985-03-04',
    email: 'ana@post.example',
    library_id: 'MAIN',
    category_id: 'PT',
    ...change,
  };
}

export const rowOf = (reply: Reply): Row => reply.body as Row;
export const rowsOf = (reply: Reply): readonly Row[] => reply.body as readonly Row[];
export const cardsOf = (reply: Reply): unknown[] => rowsOf(reply).map((row) => row['cardnumber']);

/** The id in a `Location` header. */
export function idOf(reply: Reply): number {
  return Number(reply.headers.get('location')?.split('/').at(-1));
}
