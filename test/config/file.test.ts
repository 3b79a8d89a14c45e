/** Mistakes that only a file target can have. */
import { afterAll, expect, test } from 'vitest';
import { createWritten } from './written.ts';

const { load, mistakesIn: located, remove } = createWritten();
afterAll(remove);

const good = `version: 1
database: { url: postgres://localhost/x }
entities: { person: { view: v, key: id, sources: {} }, group: { view: g, key: id, sources: {} } }
targets:
  flow:
    type: file
    format: csv
    folder: flows
    name: "people-{sequence}.csv"
    entities:
      person:
        id: "{id}"
        attributes:
          name: "{name}"
          mails: { from: mails, as: list }
`;

const mistakesIn = (text: string) => located(text).map((mistake) => mistake.replace(/^[\d:]+ /, ''));

test('a file target has defaults', () => {
  expect(mistakesIn(good)).toEqual([]);
  expect(load(good).config.targets.flow).toMatchObject({
    ...{
      content: 'changes',
      publish: {},
      permissions: 0o640,
      header: true,
      delimiter: ',',
      quote: '"',
      encoding: 'utf-8',
    },
    ...{ quoting: 'needed', lineEnding: 'crlf', separator: '|', defuse: false, fields: {} },
    entities: { person: { attributes: { name: { as: 'text' }, mails: { kind: 'column', as: 'list' } } } },
  });
});

const group = '      group: { id: "g-{id}", attributes: { members: { ref: person, from: members } } }\n';

test.each([
  {
    from: 'format: csv',
    to: 'format: xml',
    mistake: 'targets.flow.format: found "xml", expected csv, jsonl or ldif',
  },
  {
    from: 'people-{sequence}.csv',
    to: 'people.csv',
    mistake:
      'targets.flow.name: found "people.csv", expected {sequence} in it: no file of changes may take the place of another',
  },
  {
    from: 'people-{sequence}.csv',
    to: 'people-{number}.csv',
    mistake:
      'targets.flow.name: found "people-{number}.csv", expected nothing in braces but {sequence}, {sequence:8} (1 to 15 digits), {entity}, {date} and {time}',
  },
  {
    from: 'people-{sequence}.csv',
    to: '../{sequence}.csv',
    mistake:
      'targets.flow.name: found "../{sequence}.csv", expected the name of a file, without "/" and not beginning with "."',
  },
  {
    from: '        id: "{id}"',
    to: '        id: "{id"',
    mistake: expect.stringContaining('targets.flow.entities.person.id: not a template'),
  },
  {
    from: '    entities:\n',
    to: `    entities:\n${group}`,
    mistake:
      'targets.flow.name: found "people-{sequence}.csv", expected {entity} in it: each entity has columns of its own, and so a file of its own',
  },
  {
    from: '    folder: flows',
    to: '    folder: flows\n    content: snapshot\n    fields: { operation: action }',
    mistake:
      'targets.flow.fields.operation: a snapshot tells what is there, not what happened: expected it with `content: changes` only',
  },
  {
    from: '          name: "{name}"',
    to: '          id: "{id}"',
    mistake:
      'targets.flow.entities.person.attributes.id: "id" is told of each record already; call that otherwise, or leave it out, under `fields:`',
  },
  {
    from: '          name: "{name}"',
    to: '          "2026": "{name}"',
    mistake:
      'targets.flow.entities.person.attributes.2026: expected a name that is not a whole number: such names lose their place among the columns',
  },
  {
    from: '        id: "{id}"',
    to: '        id: "{id}"\n        deprovision: disable\n        disable: { attributes: { state: gone } }',
    mistake:
      'targets.flow.entities.person.disable.attributes.state: expected one of the attributes above (name, mails): nothing else has a place in the files',
  },
  {
    from: '    folder: flows',
    to: '    folder: flows\n    quote: ","',
    mistake: 'targets.flow.quote: found ",", which is the delimiter, too; expected another character',
  },
  {
    from: '    folder: flows',
    to: '    folder: flows\n    delimiter: "\\n"',
    mistake: 'targets.flow.delimiter: found a line break, expected another character',
  },
  {
    from: '    folder: flows',
    to: '    folder: flows\n    permissions: 640',
    mistake: 'targets.flow.permissions: found the number 640, expected permissions in quotes, such as "0640"',
  },
  {
    from: '    folder: flows',
    to: '    folder: flows\n    publish: often',
    mistake:
      'targets.flow.publish: found "often", expected "at once", or one or more of every, count and at, such as { every: 15m, count: 1000 }',
  },
  {
    from: '    folder: flows',
    to: '    folder: flows\n    publish: {}',
    mistake:
      'targets.flow.publish: found an empty mapping, expected "at once", or one or more of every, count and at, such as { every: 15m, count: 1000 }',
  },
  {
    from: '    folder: flows',
    to: '    folder: flows\n    publish: { at: noon }',
    mistake: expect.stringContaining('targets.flow.publish'),
  },
  {
    from: '          name: "{name}"',
    to: '          name: { from: name, policy: add }',
    mistake: expect.stringContaining('targets.flow.entities.person.attributes.name.policy: unknown key'),
  },
])('$to', ({ from, to, mistake }) => {
  expect(good).toContain(from);
  expect(mistakesIn(good.replace(from, () => to))).toEqual([mistake]);
});

test('each flow has a folder of its own', () => {
  const second = good
    .slice(good.indexOf('  flow:'))
    .replace('  flow:', '  other:')
    .replace('folder: flows', 'folder: ./flows/');
  expect(mistakesIn(good + second)).toEqual([
    'targets.other.folder: found the folder of target flow; expected another: each flow has one of its own',
  ]);
});

test('paths of JSON Lines may not stand inside of each other, columns of CSV may', () => {
  const more = good.replace('          name: "{name}"', '          name: "{name}"\n          name.full: "{full}"');
  expect(mistakesIn(more)).toEqual([]);
  expect(mistakesIn(more.replace('format: csv', 'format: jsonl'))).toEqual([
    'targets.flow.entities.person.attributes.name: found a value for "name", while "name.full" stands inside it; expected one of the two',
  ]);
});
