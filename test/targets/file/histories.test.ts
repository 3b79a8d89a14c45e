/** Random histories: what others make of the files is what the flow says of itself, and what a simple model expects. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FileTarget } from '../../../src/targets/file/target.ts';
import type { Attributes, Change } from '../../../src/targets/target.ts';
import { create, createFlow, flowConfig, patience, readCsv, readJsonl, replace, replay, type Told } from './bench.ts';

/** Texts that CSV and JSON have to take care of. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  fc.constantFrom('a,b', '"', '""', "'", '\n', 'x\r\ny', '\r', '\\', '{}', 'é', '\u2028', ' ', 'null', '😀'),
);
const attributes = fc.record({
  number: fc.constant<string[]>([]),
  name: fc.array(text, { maxLength: 1 }),
  title: fc.array(text, { maxLength: 1 }),
  mail: fc.uniqueArray(
    text.filter((value) => !value.includes('|')),
    { maxLength: 3 },
  ),
});

const ids = ['a', 'b', 'c', 'd', 'e'];
const id = fc.constantFrom(...ids);
type Step = { readonly flush: true } | { readonly change: Change };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Step>({ flush: true }) },
  { weight: 3, arbitrary: fc.record({ change: fc.tuple(id, attributes).map(([at, given]) => create(at, given)) }) },
  { weight: 3, arbitrary: fc.record({ change: fc.tuple(id, attributes).map(([at, given]) => replace(at, given)) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      change: fc.tuple(id, id, attributes).map(([from, to, given]) => replace(from, given, to)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      change: id.map((remoteId): Change => ({ operation: 'remove', entity: 'person', remoteId })),
    }),
  },
);

type Model = Map<string, Attributes>;

/** What is there after a change; whether it is one that can be made. */
function apply(model: Model, change: Change): boolean {
  const { remoteId } = change;
  const known = model.get(remoteId);
  if (change.operation === 'create') {
    if (known === undefined) model.set(remoteId, change.attributes);
    return known === undefined;
  }
  if (change.operation === 'remove') {
    model.delete(remoteId);
    return true;
  }
  const { renameTo = remoteId } = change;
  if (known === undefined || (renameTo !== remoteId && model.has(renameTo))) return false;
  model.delete(remoteId);
  model.set(renameTo, Object.fromEntries(change.changes.map(({ attribute, values }) => [attribute, values])));
  return true;
}

async function run(target: FileTarget, history: readonly Step[]): Promise<Model> {
  const model: Model = new Map();
  for (const step of history) {
    if ('flush' in step) await target.flush(patience());
    else {
      const isPossible = apply(model, step.change);
      const made = target.apply(step.change, patience());
      if (isPossible) await made;
      else await expect(made).rejects.toMatchObject({ kind: expect.stringMatching(/^(exists|gone)$/), unsure: false });
    }
  }
  await target.flush(patience());
  return model;
}

const kinds = [
  {
    kind: 'csv',
    read: (texts: readonly string[]) => texts.flatMap((one) => readCsv(one)),
    shown: ({ name = [], title = [], mail = [] }: Attributes) => ({
      number: '',
      name: name.join(),
      title: title.join(),
      mail: mail.join('|'),
    }),
  },
  {
    kind: 'jsonl',
    read: (texts: readonly string[]) => texts.flatMap(readJsonl),
    shown: ({ name = [], title = [], mail = [] }: Attributes) => ({
      number: null,
      name: name[0] ?? null,
      title: title[0] ?? null,
      mail,
    }),
  },
] as const;

const shownOf = (model: Model, shown: (attributes: Attributes) => Told) =>
  new Map([...model].map(([key, value]) => [key, shown(value)]));

test.each(kinds)('$kind changes lead to what is there', async ({ kind, read, shown }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (history) => {
      const flow = await createFlow();
      try {
        const target = flow.target(flowConfig(kind));
        const model = await run(target, history);
        expect(replay(read(await flow.texts()))).toEqual(shownOf(model, shown));
        const scanned = new Map<string, Attributes>();
        for await (const state of target.scan('person', ['number', 'name', 'title', 'mail'], patience()))
          scanned.set(state.remoteId, state.attributes);
        expect(shownOf(scanned, shown)).toEqual(shownOf(model, shown));
      } finally {
        await flow.close();
      }
    }),
    { numRuns: 60 },
  );
});

test.each(kinds)('a $kind snapshot is what is there', async ({ kind, read, shown }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (history) => {
      const flow = await createFlow();
      try {
        const config = flowConfig(kind, { content: 'snapshot', name: 'all.txt', fields: { id: 'id' } });
        const model = await run(flow.target(config), history);
        const told = read(await flow.texts()).map(({ id: key, ...rest }) => [String(key), rest] as const);
        expect(new Map(told)).toEqual(shownOf(model, shown));
        expect(told).toHaveLength(model.size);
      } finally {
        await flow.close();
      }
    }),
    { numRuns: 40 },
  );
});

test('the same changes once more add no record', async () => {
  const flow = await createFlow();
  const target = flow.target(flowConfig('jsonl'));
  await target.apply(create('a', { name: ['Ada'], mail: ['x', 'y'] }), patience());
  await target.apply(replace('a', { name: ['Ada'], mail: ['y', 'x'], title: [] }), patience());
  await target.apply(replace('a', {}, 'a'), patience());
  await target.flush(patience());
  expect((await flow.texts()).flatMap(readJsonl)).toHaveLength(1);
  await flow.close();
});
