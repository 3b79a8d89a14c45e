/** Flows for tests: each in a folder of its own, configured as `staffetta.yml` would, and read with other libraries. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { type FileConfig, file } from '../../../src/config/file.ts';
import { FileTarget } from '../../../src/targets/file/target.ts';
import type { Witness } from '../../../src/targets/file/witness.ts';
import type { Attributes, Change } from '../../../src/targets/target.ts';

type More = Readonly<Record<string, unknown>>;

/** A configuration of each format, with anything else on top. */
export function flowConfig(format: 'csv' | 'jsonl' | 'ldif', more: More = {}): FileConfig {
  return file.parse({ type: 'file', folder: '.', format, ...forms[format], ...more });
}

const people = {
  id: '{id}',
  match: { number: 'number' },
  attributes: { number: '{number}', name: '{name}', title: '{title}', mail: { from: 'mail', as: 'list' } },
};

const forms = {
  csv: { name: 'people-{sequence:4}.csv', entities: { person: people } },
  jsonl: { name: 'people-{sequence:4}.jsonl', entities: { person: people } },
  ldif: {
    name: 'people-{sequence:4}.ldif',
    entities: {
      person: { dn: 'uid={uid},ou=people,dc=example,dc=org', match: { employeeNumber: 'number' } },
      group: {
        dn: 'cn={name},ou=groups,dc=example,dc=org',
        attributes: { member: { ref: 'person', from: 'members' } },
      },
    },
  },
};

export interface Flow {
  readonly folder: string;
  /** A target over the folder; the folder closes it. */
  target(config: FileConfig, witness?: Witness): FileTarget;
  /** The names of the files that are there, hidden ones apart, in order. */
  names(): Promise<string[]>;
  bytes(name: string): Promise<Buffer>;
  /** The texts of the files that are there, in the order of their names. */
  texts(): Promise<string[]>;
  close(): Promise<void>;
}

export async function createFlow(): Promise<Flow> {
  const folder = await mkdtemp(join(tmpdir(), 'staffetta-flow-'));
  const targets: FileTarget[] = [];
  const names = async () => (await readdir(folder)).filter((name) => !name.startsWith('.')).toSorted();
  return {
    folder,
    target: (config, witness) => {
      const target = new FileTarget(config, folder, witness);
      targets.push(target);
      return target;
    },
    names,
    bytes: (name) => readFile(join(folder, name)),
    texts: async () => Promise.all((await names()).map((name) => readFile(join(folder, name), 'utf8'))),
    close: async () => {
      for (const target of targets) await target.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A record of a file, by the names of its columns or keys. */
export type Told = Readonly<Record<string, unknown>>;

export function readCsv(text: string, options: Readonly<Record<string, unknown>> = {}): Told[] {
  return parse(text, { columns: true, ...options });
}

export function readJsonl(text: string): Told[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** The state that records of changes lead to, by id; fails where they do not fit each other. */
export function replay(records: readonly Told[]): Map<string, Told> {
  const state = new Map<string, Told>();
  for (const [index, { operation, sequence, at: _, id, former_id: former, ...attributes }] of records.entries()) {
    if (Number(sequence) !== index + 1) throw new Error(`record ${sequence} stands at place ${index + 1}`);
    const before = String(operation === 'rename' ? former : id);
    if (state.has(before) === (operation === 'create')) throw new Error(`${operation} of ${before} does not fit`);
    if (operation === 'rename' && state.has(String(id))) throw new Error(`${id} is taken`);
    state.delete(before);
    if (operation !== 'delete') state.set(String(id), attributes);
  }
  return state;
}

export function create(remoteId: string, attributes: Attributes, entity = 'person'): Change {
  return { operation: 'create', entity, remoteId, attributes };
}

/** An update that writes these attributes. */
export function replace(remoteId: string, attributes: Attributes, renameTo?: string, entity = 'person'): Change {
  const changes = Object.entries(attributes).map(([attribute, values]) => ({
    attribute,
    action: 'replace' as const,
    values,
  }));
  return { operation: 'update', entity, remoteId, changes, ...(renameTo === undefined ? {} : { renameTo }) };
}

/** A signal that ends nothing within a test. */
export function patience(): AbortSignal {
  return AbortSignal.timeout(60_000);
}
