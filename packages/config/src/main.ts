import { configurationReference } from './file/configuration-reference.ts';

process.stdout.write(configurationReference());
