export type { CheckedExchange, KohaDescription, KohaExchange } from './describe-koha.ts';
export { describeKoha } from './describe-koha.ts';
export { readKohaDocument } from './read-koha-document.ts';
