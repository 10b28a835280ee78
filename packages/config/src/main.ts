import { readFileSync, writeFileSync } from 'node:fs';
import { configurationReference } from './configuration-reference.ts';

const [, , page = ''] = process.argv;
writeFileSync(page, configurationReference(readFileSync(page, 'utf8')));
