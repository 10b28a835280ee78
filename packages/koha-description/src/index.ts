export type { KohaDescription } from './describe-koha.ts';
export { describeKoha } from './describe-koha.ts';
export { readKohaDocument } from './read-koha-document.ts';
export type { CheckedExchange, KohaExchange } from './exchange.ts';
