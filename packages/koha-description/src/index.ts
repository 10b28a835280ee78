export { describeKoha } from './describe-koha.ts';
export { readKohaDocument } from './read-koha-document.ts';
export type { CheckedExchange } from './exchange.ts';
