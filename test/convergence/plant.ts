/** `node --import plant.ts …` with STAFFETTA_BUG: puts that bug into the sources while they are loaded. */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { filesOf, isBugName, withBug } from './bugs.ts';

const { STAFFETTA_BUG: name = '' } = process.env;
if (!isBugName(name)) throw new Error(`STAFFETTA_BUG is “${name}”, which is none of bugs.ts`);

const planted = new Map([...filesOf(name)].map((file) => [new URL(`../../src/${file}`, import.meta.url).href, file]));

registerHooks({
  load(url, context, next) {
    const file = planted.get(url);
    if (file === undefined) return next(url, context);
    const source = withBug(name, file, readFileSync(new URL(url), 'utf8'));
    return { format: 'module-typescript', source, shortCircuit: true };
  },
});
