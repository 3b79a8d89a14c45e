import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { FileTarget } from '../../../src/targets/file/target.ts';
import { escapeValue } from '../../../src/targets/ldap/dn.ts';
import type { Value } from '../../../src/targets/target.ts';
import { createDirectory, type Directory } from '../../setup/directory.ts';
import { type Bench, conformance } from '../conformance.ts';
import { create, createFlow, type Flow, flowConfig, patience, readCsv, readJsonl, replay, type Told } from './bench.ts';

/** What becomes of a flow, and what a flow cannot come into. */
function troubles(flow: Flow, target: FileTarget, id: Bench['id']): Pick<Bench, 'bring' | 'without'> {
  return {
    bring: {
      unavailable: async () => {
        const other = new DatabaseSync(join(flow.folder, '.staffetta', 'flow.sqlite'));
        other.exec('begin immediate');
        return {
          attempt: () => target.apply(create(id('locked'), {}), AbortSignal.timeout(200)),
          over: async () => other.close(),
        };
      },
      misconfigured: async () => {
        await rename(flow.folder, `${flow.folder}.away`);
        return { over: () => rename(`${flow.folder}.away`, flow.folder) };
      },
      converged: async () => {
        const changes = [{ attribute: 'mail', action: 'add', values: ['a@x'] }] as const;
        await target.apply(create(id('plural'), { mail: ['a@x'] }), patience());
        return {
          attempt: (signal) =>
            target.apply({ operation: 'update', entity: 'person', remoteId: id('plural'), changes }, signal),
          over: async () => {
            await target.apply({ operation: 'remove', entity: 'person', remoteId: id('plural') }, patience());
          },
        };
      },
    },
    without: {
      dependency: 'records do not depend on each other; of LDIF, no server is asked',
      'one-sided': 'a folder is writable as a whole, or not',
      unknown: 'what SQLite and the file system say is known',
      loseAnswer: 'nothing is sent: a change is on disk when it is answered; test/targets/file/killed.test.ts kills it',
      hang: 'nothing is sent; whoever waits for another who writes has done nothing yet',
    },
  };
}

const people = {
  id: '{id}',
  match: { number: 'number' },
  attributes: {
    number: '{number}',
    title: '{title}',
    mail: { from: 'mail', as: 'list' },
    photo: { from: 'photo', as: 'bytes' },
  },
};
const groups = { id: 'g-{id}', attributes: { members: { ref: 'person', from: 'members' } } };

/** How the records of a flow are read by others: the entries of each entity by id, a list as its values. */
interface Reader {
  entries(texts: readonly string[]): ReadonlyMap<string, Told>;
  list(written: unknown): string[];
}

/** A flow of records; what another client sees is what somebody makes of the files who knows no more than them. */
async function recordBench(
  format: 'csv' | 'jsonl',
  more: Readonly<Record<string, unknown>>,
  reader: Reader,
): Promise<Bench> {
  const flow = await createFlow();
  const entities = { person: people, group: groups };
  const target = flow.target(
    flowConfig(format, { folder: flow.folder, entities, name: '{entity}-{sequence:5}', ...more }),
  );
  /** Of files that are never written again. */
  const seen = new Map<string, string>();
  const textOf = async (name: string) => {
    const text = seen.get(name) ?? (await flow.bytes(name)).toString();
    if (/\d$/.test(name)) seen.set(name, text);
    return text;
  };
  const entry = async (entity: string, id: string) => {
    await target.flush(patience());
    const names = (await flow.names()).filter((name) => name.startsWith(entity));
    return reader.entries(await Promise.all(names.map(textOf))).get(id);
  };
  const id = (name: string) => name;
  const { bring, without } = troubles(flow, target, id);
  return {
    target,
    entity: 'person',
    title: 'title',
    unique: 'number',
    id,
    attributes: (name, title = 'first') => ({ number: [`n-${name}`], title: [title] }),
    titles: async (name) => {
      const record = await entry('person', name);
      return record && [record.title].flatMap((title) => (title === '' || title === null ? [] : String(title)));
    },
    several: 'mail',
    bytes: 'photo',
    values: async (name, attribute) => {
      const record = await entry('person', name);
      const held = record?.[attribute];
      if (record === undefined || held === '' || held === null) return record && [];
      return attribute === 'photo' ? [{ base64: String(held) }] : reader.list(held);
    },
    references: {
      entity: 'group',
      attribute: 'members',
      id: (name) => `g-${name}`,
      attributes: () => ({}),
      members: async (name) => {
        const record = await entry('group', `g-${name}`);
        return record && reader.list(record.members);
      },
    },
    bring: {
      ...bring,
      rejected: async () => ({
        attempt: (signal) => target.apply(create('too many', { title: ['one', 'two'] }), signal),
      }),
    },
    ...(without ? { without } : {}),
    close: flow.close,
  };
}

/** The values of a list that an escape was put into. */
const taken = (written: unknown) =>
  [...String(written).matchAll(/((?:\\[\s\S]|[^|\\])+)(?:\||$)/g)].map(([, part = '']) =>
    part.replaceAll(/\\([\s\S])/g, '$1'),
  );

conformance('file, as changes in CSV', () =>
  recordBench(
    'csv',
    { escape: '\\' },
    { entries: (texts) => replay(texts.flatMap((text) => readCsv(text))), list: taken },
  ),
);

const asList = (written: unknown) => (Array.isArray(written) ? written.map(String) : []);

conformance('file, as changes in JSON Lines', () =>
  recordBench('jsonl', {}, { entries: (texts) => replay(texts.flatMap(readJsonl)), list: asList }),
);

conformance('file, as a snapshot in JSON Lines', () =>
  recordBench(
    'jsonl',
    { content: 'snapshot', name: '{entity}', fields: { id: 'id' } },
    {
      entries: (texts) => new Map(texts.flatMap(readJsonl).map((record) => [String(record.id), record])),
      list: asList,
    },
  ),
);

/** Has a directory follow the files of a flow, by ldapmodify; what it refuses of a file is said by the test that sees it. */
async function follow(flow: Flow, directory: Directory, applied: Set<string>): Promise<void> {
  for (const name of await flow.names()) {
    if (applied.has(name)) continue;
    applied.add(name);
    await directory.modify((await flow.bytes(name)).toString());
  }
}

conformance('file, as LDIF that ldapmodify applies to a directory', async () => {
  const directory = await createDirectory();
  const flow = await createFlow();
  const target = flow.target(flowConfig('ldif', { folder: flow.folder }));
  const applied = new Set<string>();
  const { suffix } = directory;
  const id = (name: string) => `uid=${escapeValue(name)},ou=people,${suffix}`;
  const entry = async (filter: string, ...wanted: readonly string[]) => {
    await target.flush(patience());
    await follow(flow, directory, applied);
    return [...(await directory.entries(filter, ...wanted)).values()][0];
  };
  const named = (name: string) => `(uid=${escapeFilter(name)})`;
  const { bring, without } = troubles(flow, target, id);
  return {
    target,
    entity: 'person',
    title: 'title',
    unique: 'employeeNumber',
    id,
    attributes: (name, title = 'first') => ({
      objectClass: ['inetOrgPerson'],
      cn: [name],
      sn: [name],
      employeeNumber: [`n-${name}`],
      title: [title],
    }),
    titles: async (name) => {
      const found = await entry(named(name), 'title');
      return found && (found.title ?? []);
    },
    several: 'mail',
    bytes: 'jpegPhoto',
    values: async (name, attribute) => {
      const found = await entry(named(name), attribute);
      const values = found && (found[attribute] ?? []);
      return values?.map((value): Value => (value.startsWith('base64:') ? { base64: value.slice(7) } : value));
    },
    references: {
      entity: 'group',
      attribute: 'member',
      id: (name) => `cn=${escapeValue(name)},ou=groups,${suffix}`,
      attributes: () => ({ objectClass: ['groupOfNames'] }),
      members: async (name) => (await entry(`(cn=${escapeFilter(name)})`, 'member'))?.member,
    },
    bring: {
      ...bring,
      converged: async () => {
        const given = { objectClass: ['inetOrgPerson'], cn: ['p'], sn: ['p'], mail: ['a@x'] };
        const changes = [{ attribute: 'mail', action: 'add', values: ['A@x'] }] as const;
        const remoteId = id('plural');
        await target.apply(create(remoteId, given), patience());
        return {
          attempt: (signal) => target.apply({ operation: 'update', entity: 'person', remoteId, changes }, signal),
        };
      },
      rejected: async () => ({ attempt: (signal) => target.apply(create('no name', {}), signal) }),
    },
    ...(without ? { without } : {}),
    close: async () => {
      await flow.close();
      await directory.close();
    },
  };
});

/** A value in a filter of ldapsearch (RFC 4515). */
function escapeFilter(value: string): string {
  return [...Buffer.from(value)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
}
