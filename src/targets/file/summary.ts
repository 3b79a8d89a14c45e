import { failureOf } from './failure.ts';
import type { Place } from './publisher.ts';
import { numberOf, textOf } from './sqlite.ts';
import type { Store } from './store.ts';

/** A flow in one line: what it is, and how far. Throws TargetError where it cannot be read. */
export function summaryOf({ sqlite }: Store, { config, folder }: Pick<Place, 'config' | 'folder'>): string {
  const count = (what: string) => numberOf(sqlite.row(`select count(*) as n from ${what}`) ?? {}, 'n');
  try {
    const last = sqlite.row('select name from file order by at desc, series, number desc limit 1');
    const unsent = count("file where stage = 'published'");
    return [
      `${config.format} ${config.content} in ${folder}: ${count('entry')} entries`,
      ...(config.content === 'changes' ? [`${count('record')} records wait`] : []),
      last === undefined ? 'no file yet' : `last file ${textOf(last, 'name')}`,
      ...(unsent > 0 ? [`${unsent} to be transferred`] : []),
    ].join(', ');
  } catch (error) {
    throw failureOf(`the flow in ${folder} cannot be read`, error);
  }
}
