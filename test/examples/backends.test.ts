/** The backends of examples/backends, run as they stand there. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ScriptTarget } from '../../src/targets/script/target.ts';
import type { Change } from '../../src/targets/target.ts';
import { scriptConfig } from '../targets/script/bench.ts';

const examples = join(import.meta.dirname, '../../examples');
const calm = AbortSignal.timeout(60_000);

let folder: string;
let service: Server;
let asked: { method: string; url: string; authorization: string | undefined; body: unknown }[];
let answer: number;
let target: ScriptTarget;

function open(more: Readonly<Record<string, unknown>> = {}): ScriptTarget {
  const address = service.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const env = {
    HOMES: join(folder, 'homes'),
    PHONEBOOK: join(folder, 'phonebook.sqlite'),
    WEBHOOK_URL: `http://127.0.0.1:${port}/people`,
    WEBHOOK_TOKEN_FILE: join(folder, 'token'),
  };
  const attributes = {
    'inetOrgPerson.uid': '{uid}',
    'inetOrgPerson.cn': '{name}',
    'inetOrgPerson.telephoneNumber': '{telephone}',
  };
  const entities = { person: { id: '{id}', attributes } };
  return new ScriptTarget(scriptConfig({ backends: 'backends', env, entities, ...more }), examples);
}

beforeAll(async () => {
  service = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    void (method === 'PUT' ? json(request) : Promise.resolve(undefined)).then((body) => {
      asked.push({ method, url, authorization: headers.authorization, body });
      response.writeHead(answer).end();
    });
  });
  await new Promise<void>((done) => service.listen(0, '127.0.0.1', done));
});
afterAll(() => service.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'staffetta-examples-'));
  await mkdir(join(folder, 'homes'));
  await writeFile(join(folder, 'token'), 'hush\n');
  asked = [];
  answer = 204;
  target = open();
});
afterEach(async () => {
  await target.close();
  await rm(folder, { recursive: true });
});

const to = { entity: 'person', remoteId: '42' } as const;
const anna = { 'inetOrgPerson.uid': ['anna'], 'inetOrgPerson.cn': ['Anna'], 'inetOrgPerson.telephoneNumber': ['123'] };
const creation = { operation: 'create', ...to, attributes: anna } as const satisfies Change;
const removal = { operation: 'remove', ...to } as const satisfies Change;
const phonebook = () => {
  const book = new DatabaseSync(join(folder, 'phonebook.sqlite'));
  const rows = book.prepare('select * from person').all();
  book.close();
  return rows;
};

describe.each(['a process each', 'a kept process'])('the example backends, the phone book as %s', (how) => {
  beforeEach(() => {
    target = open(how === 'a kept process' ? { process: { phonebook: 'stream' } } : {});
  });

  test('are there', async () => {
    expect(await target.ping(calm)).toMatchObject({ summary: 'backends in backends: home, phonebook, webhook' });
    expect(asked).toMatchObject([{ method: 'HEAD', url: '/people', authorization: 'Bearer hush' }]);
  });

  test('take in who comes and let go who leaves, and may be told twice', async () => {
    for (const time of ['first', 'second']) {
      const { data } = await target.apply(creation, calm);
      if (time === 'first') expect(data?.message).toBe('made a home for anna; Anna stands in the phone book; PUT 204');
      expect(await readdir(join(folder, 'homes'))).toEqual(['anna']);
      expect(phonebook()).toMatchObject([{ id: '42', name: 'Anna', telephone: '123' }]);
    }
    expect(asked.at(-1)).toMatchObject({
      method: 'PUT',
      url: '/people/42',
      authorization: 'Bearer hush',
      body: { _id: '42', inetOrgPerson: { uid: 'anna', cn: 'Anna', telephoneNumber: '123', mail: '' } },
    });
    for (const _ of ['first', 'second']) await target.apply(removal, calm, { written: anna });
    expect(await readdir(join(folder, 'homes'))).toEqual(['attic']);
    expect(phonebook()).toEqual([]);
    expect(asked.at(-1)).toMatchObject({ method: 'DELETE', url: '/people/42' });
  });
});

test.each([
  [500, 'unavailable'],
  [401, 'misconfigured'],
  [400, 'unknown'],
])('a service that answers %i makes the chain %s', async (status, kind) => {
  answer = status;
  await expect(target.apply(creation, calm)).rejects.toMatchObject({ kind });
});

test('a person without a usable name stops at the first backend', async () => {
  const attributes = { ...anna, 'inetOrgPerson.uid': ['../etc'] };
  await expect(target.apply({ ...creation, attributes }, calm)).rejects.toMatchObject({
    kind: 'rejected',
    message: 'home, IDENTITY_UPDATE: expected inetOrgPerson.uid of small letters and digits',
  });
  expect(asked).toEqual([]);
  expect(await readdir(join(folder, 'homes'))).toEqual([]);
});

test('the dummy backend writes what it is told, as the manual says', async () => {
  const entities = { person: { id: '{id}', attributes: { 'inetOrgPerson.cn': '{name}' } } };
  const dummy = new ScriptTarget(scriptConfig({ backends: 'backends', entities }), join(examples, '..'));
  const { data } = await dummy.apply(creation, calm);
  expect(data).toMatchObject({ message: 'dummy upsertbackend backend' });
  expect(JSON.parse(await readFile('/tmp/dummy.json', 'utf8'))).toMatchObject({ concernedTo: '42' });
  await rm('/tmp/dummy.json');
});
