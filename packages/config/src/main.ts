import { configurationReference } from './configuration-reference.ts';

process.stdout.write(configurationReference());
