import { testStrangers } from './hostile-koha/test-strangers.ts';

testStrangers('set-up');
