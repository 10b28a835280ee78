import { readFileSync, writeFileSync } from 'node:fs';
import { configurationReference } from './file/configuration-reference.ts';

const [, , page = ''] = process.argv;
writeFileSync(page, configurationReference(readFileSync(page, 'utf8')));
