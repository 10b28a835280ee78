import { testStrangers } from './hostile-koha/test-strangers.ts';

testStrangers('lender');
