import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { escapeValue } from '../../../src/targets/ldap/dn.ts';
import { createDirectory } from '../../setup/directory.ts';
import { type Bench, conformance } from '../conformance.ts';
import { createFlow, flowConfig, patience, readCsv, readJsonl, replay, type Told } from './bench.ts';

/** A flow of records; what another client sees is what somebody makes of the files who knows no more than them. */
async function recordBench(
  format: 'csv' | 'jsonl',
  more: Readonly<Record<string, unknown>>,
  read: (texts: readonly string[]) => ReadonlyMap<string, Told>,
): Promise<Bench> {
  const flow = await createFlow();
  const target = flow.target(flowConfig(format, more));
  return {
    target,
    entity: 'person',
    title: 'title',
    unique: 'number',
    id: (name) => name,
    attributes: (name, title = 'first') => ({ number: [`n-${name}`], name: [name], title: [title], mail: [] }),
    titles: async (name) => {
      await target.flush(patience());
      const record = read(await flow.texts()).get(name);
      return record && [record.title].flatMap((title) => (title === '' || title === null ? [] : String(title)));
    },
    close: flow.close,
  };
}

const snapshot = (texts: readonly string[]) =>
  new Map(texts.flatMap(readJsonl).map((record) => [String(record.id), record]));

conformance('file, as changes in CSV', () =>
  recordBench('csv', {}, (texts) => replay(texts.flatMap((text) => readCsv(text)))),
);

conformance('file, as changes in JSON Lines', () =>
  recordBench('jsonl', {}, (texts) => replay(texts.flatMap(readJsonl))),
);

conformance('file, as a snapshot in JSON Lines', () =>
  recordBench('jsonl', { content: 'snapshot', name: 'people.jsonl', fields: { id: 'id' } }, snapshot),
);

conformance('file, as LDIF that ldapmodify applies to a directory', async () => {
  const directory = await createDirectory();
  const flow = await createFlow();
  const target = flow.target(flowConfig('ldif'));
  let applied = 0;
  return {
    target,
    entity: 'person',
    title: 'title',
    unique: 'employeeNumber',
    id: (name) => `uid=${escapeValue(name)},ou=people,${directory.suffix}`,
    attributes: (name, title = 'first') => ({
      objectClass: ['inetOrgPerson'],
      cn: [name],
      sn: [name],
      employeeNumber: [`n-${name}`],
      title: [title],
    }),
    titles: async (name) => {
      await target.flush(patience());
      const names = await flow.names();
      for (const file of names.slice(applied)) await directory.modify(await readFile(join(flow.folder, file), 'utf8'));
      applied = names.length;
      const [entry] = (await directory.entries(`(uid=${name})`, 'title')).values();
      return entry === undefined ? undefined : (entry.title ?? []);
    },
    close: async () => {
      await flow.close();
      await directory.close();
    },
  };
});
