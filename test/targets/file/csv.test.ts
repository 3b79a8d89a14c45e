/** CSV as others read it: quoting, encodings, lists, formulas, and what cannot be written. */
import { afterEach, expect, test } from 'vitest';
import type { Attributes } from '../../../src/targets/target.ts';
import { create, createFlow, type Flow, flowConfig, patience, readCsv, replace } from './bench.ts';

let flow: Flow;
afterEach(() => flow.close());

const columns = {
  id: '{id}',
  attributes: {
    name: '{name}',
    mail: { from: 'mail', as: 'list' },
    age: { from: 'age', as: 'number' },
    active: { from: 'active', as: 'boolean' },
    pin: { from: 'pin', secret: true },
  },
};

/** What stands in the one file of a flow of people who are made with these attributes. */
async function written(people: readonly Attributes[], more: Readonly<Record<string, unknown>> = {}): Promise<Buffer> {
  flow = await createFlow();
  const target = flow.target(flowConfig('csv', { fields: plain, entities: { person: columns }, ...more }));
  for (const [at, attributes] of people.entries()) await target.apply(create(String(at), attributes), patience());
  await target.flush(patience());
  const [name = ''] = await flow.names();
  return flow.bytes(name);
}

/** Nothing but the id beside the attributes. */
const plain = { operation: false, sequence: false, at: false, formerId: false };

test('columns stand in the order of the mapping, behind what is told of the record', async () => {
  flow = await createFlow();
  const target = flow.target(flowConfig('csv', { entities: { person: columns } }));
  await target.apply(create('1', { age: ['7'], name: ['Ada'] }), patience());
  await target.apply(replace('1', { name: ['Ada L.'] }, '2'), patience());
  await target.apply({ operation: 'remove', entity: 'person', remoteId: '2' }, patience());
  await target.flush(patience());
  const [text = ''] = await flow.texts();
  expect(text.split('\r\n')[0]).toBe('operation,sequence,at,id,former_id,name,mail,age,active,pin');
  const known = { mail: '', active: '', pin: '', at: expect.stringMatching(/^\d{4}-.*Z$/) };
  expect(readCsv(text)).toEqual([
    { ...known, operation: 'create', sequence: '1', id: '1', former_id: '', name: 'Ada', age: '7' },
    { ...known, operation: 'rename', sequence: '2', id: '2', former_id: '1', name: 'Ada L.', age: '7' },
    { ...known, operation: 'delete', sequence: '3', id: '2', former_id: '', name: '', age: '' },
  ]);
});

test('values with delimiters, quotes and line breaks are read back as they were', async () => {
  const names = ['a,b', 'say "no"', 'two\nlines', 'carriage\rreturn', ' spaces ', 'ünïcödé 😀', "'"];
  const text = (await written(names.map((name) => ({ name: [name] })))).toString();
  expect(readCsv(text).map(({ name }) => name)).toEqual(names);
});

test('delimiter, quote, quoting, line ending and header are as configured', async () => {
  const more = { delimiter: ';', quote: "'", quoting: 'all', lineEnding: 'lf', header: false };
  const people = [{ name: ["d'Este"], mail: ['a', 'b'], age: ['1.50'], active: ['t'] }];
  expect((await written(people, more)).toString()).toBe("'0';'d''Este';'a|b';'1.50';'true';''\n");
});

test('a file of one column has no empty lines', async () => {
  const more = {
    fields: { ...plain, id: false },
    entities: { person: { id: '{id}', attributes: { name: '{name}' } } },
  };
  expect((await written([{ name: ['a'] }, {}], more)).toString()).toBe('name\r\na\r\n""\r\n');
});

test.each([
  { encoding: 'utf-8', bytes: 'c3a9e282ac' },
  { encoding: 'utf-8-bom', mark: 'efbbbf', bytes: 'c3a9e282ac' },
  { encoding: 'windows-1252', bytes: 'e980' },
  { encoding: 'utf-16le', bytes: 'e900ac20' },
  { encoding: 'utf-16le-bom', mark: 'fffe', bytes: 'e900ac20' },
])('é€ in $encoding', async ({ encoding, mark = '', bytes }) => {
  const more = { encoding, entities: { person: { id: '{id}', attributes: { name: '{name}' } } } };
  const file = await written([{ name: ['é€'] }], more);
  const text = encoding.startsWith('utf-16') ? 'utf16le' : 'latin1';
  const around = (part: string) => Buffer.from(part, text).toString('hex');
  expect(file.toString('hex')).toBe(`${mark}${around('id,name\r\n')}${around('0,')}${bytes}${around('\r\n')}`);
  const name = encoding.replace('-bom', '');
  const [record] = readCsv(new TextDecoder(name).decode(file));
  expect(record).toEqual({ id: '0', name: 'é€' });
});

test('whoever has a character that the encoding lacks is refused, and leaves no trace', async () => {
  flow = await createFlow();
  const target = flow.target(flowConfig('csv', { encoding: 'latin1', entities: { person: columns } }));
  const refused = (attributes: Attributes) => target.apply(create('1', attributes), patience());
  await expect(refused({ name: ['Łukasz'] })).rejects.toMatchObject({
    kind: 'rejected',
    unsure: false,
    message: expect.stringMatching(/^attribute name has the character "Ł" \(U\+0141\) that latin1 lacks/),
  });
  await expect(refused({ pin: ['Ł'] })).rejects.toMatchObject({ message: expect.not.stringContaining('Ł') });
  expect(await target.read({ remoteId: '1' }, ['name'], patience())).toBeUndefined();
  await target.apply(create('1', { name: ['Lukasz'] }), patience());
  await target.flush(patience());
  expect((await flow.texts()).flatMap((text) => readCsv(text)).map(({ sequence }) => sequence)).toEqual(['1']);
});

test.each([
  ['name', ['one', 'two'], 'attribute name has 2 values, expected one'],
  ['age', ['seven'], 'attribute age is no number'],
  ['active', ['perhaps'], 'attribute active is no boolean'],
  ['mail', ['a', 'b|c'], 'attribute mail has a value with "|" in it'],
])('%s with %j is refused', async (name, values, message) => {
  await expect(written([{ [name]: values }])).rejects.toMatchObject({
    kind: 'rejected',
    message: expect.stringContaining(message),
  });
});

test('with an escape, lists can be taken apart again', async () => {
  const mail = ['a|b', 'c\\', 'd'];
  const [record] = readCsv((await written([{ mail }], { escape: '\\' })).toString());
  expect(record?.mail).toBe('a\\|b|c\\\\|d');
  const parts = [...String(record?.mail).matchAll(/((?:\\.|[^|\\])+)(?:\||$)/g)];
  expect(parts.map(([, part = '']) => part.replaceAll(/\\(.)/g, '$1'))).toEqual(mail);
});

test('formulas are defused where that is asked for, and left alone otherwise', async () => {
  const formulas = ['=1+1', '+1', '-1', '@sum', '\tx', '\rx'];
  const people = [...formulas, 'x=1'].map((name) => ({ name: [name] }));
  const names = async (more: object) =>
    readCsv((await written(people, { ...more })).toString()).map(({ name }) => name);
  expect(await names({ defuse: true })).toEqual([...formulas.map((formula) => `'${formula}`), 'x=1']);
  await flow.close();
  expect(await names({})).toEqual([...formulas, 'x=1']);
});
