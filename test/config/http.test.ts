/** Mistakes that only an http target can have. */
import { afterAll, expect, test } from 'vitest';
import { createWritten } from './written.ts';

const { load, mistakesIn: located, remove } = createWritten();
afterAll(remove);

const good = `version: 1
database: { url: postgres://localhost/x }
entities: { person: { view: registry.v_person, key: id, sources: {} }, team: { view: registry.v_team, key: id, sources: {} } }
targets:
  accounts:
    type: http
    url: https://api.example.org/v2
    entities:
      person:
        id: "{uid}"
        idPath: user.name
        stableId: /id
        attributes: { user.name: "{uid}", mail: { from: mail } }
        operations:
          create: { path: /users, json: { login: "{user.name}", mails: ["{mail?}"] } }
          update: { path: "/users/{stableId}" }
          remove: { path: "/users/{stableId}" }
          read: { path: "/users/{stableId}", item: /user }
          find: { path: /users, query: { name: "{user.name}" }, items: /users }
          list: { path: /users, items: /users, total: /total, pages: { cursor: after, next: /next } }
        match: { mail: mail }
        deprovision: [disable, { after: 90d, do: delete }]
        disable: { attributes: { mail: "" } }
`;

const mistakesIn = (text: string) => located(text).map((mistake) => mistake.replace(/^(\d+):\d+/, '$1'));

test('an http target has defaults, and its ids begin with the entity', () => {
  expect(mistakesIn(good)).toEqual([]);
  expect(load(good).config.targets.accounts).toMatchObject({
    ...{
      maxAnswer: 16_777_216,
      privateAddresses: 'allow',
      refersBy: 'remote id',
      caseSensitive: true,
      faults: {},
      headers: {},
    },
    entities: { person: { entity: 'person', id: '{uid}', operations: { create: { query: {}, status: {} } } } },
  });
});

const above = 'targets.accounts.entities.person';

test.each<[mistake: string, passage: string | RegExp, instead: string, answer: string]>([
  [
    'a placeholder that names nothing',
    '"/users/{stableId}" }\n          remove',
    '"/users/{stableid}" }\n          remove',
    `16: ${above}.operations.update.path: found {stableid}, expected one of {id}, {stableId}, {newId}, {document}, {merge}, {patch}, {user.name}, {mail}; did you mean {stableId}?`,
  ],
  [
    'a stable id that nobody knows yet',
    'path: /users, json',
    'path: "/users/{stableId}", json',
    `15: ${above}.operations.create.path: found {stableId}, expected one of {id}, {newId}, {document}, {merge}, {patch}, {user.name}, {mail}`,
  ],
  [
    'a placeholder deep in a structure',
    '["{mail?}"]',
    '[{ value: "{mial}" }]',
    `15: ${above}.operations.create.json.mails[0].value: found {mial}, expected one of {id}, {newId}, {document}, {merge}, {patch}, {user.name}, {mail}; did you mean {mail}?`,
  ],
  [
    'a template that is none',
    '"{mail?}"',
    '"{mail"',
    `15: ${above}.operations.create.json.mails[0]: not a template: a "{" is not followed by a column and "}"; a literal brace is written "{{"`,
  ],
  [
    'two bodies',
    'json: {',
    'form: { a: "b" }, json: {',
    `15: ${above}.operations.create.form: found json and form, expected one body`,
  ],
  [
    'a pointer that is none',
    'item: /user',
    'item: user',
    `18: ${above}.operations.read.item: found "user", expected a JSON pointer such as /items or /user/id`,
  ],
  [
    'a parameter in a path',
    'list: { path: /users,',
    'list: { path: "/users?all=1",',
    `20: ${above}.operations.list.path: found "?" or "#", expected a path alone; parameters go under \`query:\``,
  ],
  [
    'a status that is none',
    'item: /user',
    'status: { "40": gone }',
    `18: ${above}.operations.read.status.40: found "40", expected a status such as 409, or 4xx for all that begin so`,
  ],
  [
    'a removal without remove',
    /\n *remove:.*/,
    '',
    `14: ${above}.operations: expected remove: \`deprovision:\` leads to delete`,
  ],
  [
    'nothing that creates',
    /\n *create:.*/,
    '',
    `14: ${above}.operations: expected create and update, or save, which is both`,
  ],
  [
    'no id in what is listed',
    '        idPath: user.name\n',
    '',
    ['find', 'list']
      .map(
        (name, at) =>
          `${18 + at}: ${above}.operations.${name}: expected \`idPath:\` to say where the id stands in an entry that is found`,
      )
      .join('\n'),
  ],
  [
    'to disable with what is whole',
    'update: { path',
    'update: { json: whole, path',
    `22: ${above}.deprovision: expected operations.disable: what \`update\` or \`save\` writes is whole, and of who has left not everything is known`,
  ],
  [
    'to disable what is no attribute',
    'attributes: { mail: "" }',
    'attributes: { male: "" }',
    `23: ${above}.disable.attributes.male: found "male", expected one of the attributes`,
  ],
  [
    'a batch that is not described',
    'create: {',
    'create: { batch: true,',
    `15: ${above}.operations.create.batch: expected \`batch:\` of the entity to say how changes go together`,
  ],
  [
    'what is no XML',
    'json: { login: "{user.name}", mails: ["{mail?}"] }',
    'xml: "<add><login>{user.name}</add>"',
    `15: ${above}.operations.create.xml: not XML: line 1: Expected closing tag 'login' (opened in line 1, col 6) instead of closing tag 'add'.`,
  ],
])('tells %s', (_, passage, instead, answer) => {
  const text = good.replace(passage, instead);
  expect(text).not.toBe(good);
  expect(mistakesIn(text)).toEqual(answer === '' ? [] : answer.split('\n'));
});

test.each([
  ['url: https://api.example.org/v2', 'url: "https://us:open-sesame@api.example.org"'],
  ['url: https://api.example.org/v2', 'url: https://x, proxy: "ftp://us:open-sesame@x"'.replace(', ', '\n    ')],
  ['type: http\n', 'type: http\n    auth: { type: bearer, token: [open-sesame] }\n'],
  ['type: http\n', 'type: http\n    auth: open-sesame\n'],
  ['type: http\n', 'type: http\n    headers: { X-Key: [open-sesame] }\n'],
])('repeats no secret where there is a mistake beside it: %#', (passage, instead) => {
  const mistakes = mistakesIn(good.replace(passage, instead));
  expect(mistakes).toHaveLength(1);
  expect(mistakes.join()).not.toContain('sesame');
});

test('tells what members need', () => {
  const team = `      team:
        id: "{name}"
        attributes: { members: { ref: person, from: members } }
        operations: { save: { path: "/teams/{id}" } }
`;
  expect(
    mistakesIn(
      good
        .replace('    entities:\n', '    refersBy: stable id\n    entities:\n')
        .replace('        stableId: /id\n', '')
        .replaceAll('{stableId}', '{id}') + team,
    ),
  ).toEqual([
    expect.stringContaining('attributes.members: expected operations.read'),
    expect.stringContaining('expected `stableId:` of person'),
    expect.stringContaining('team.operations: expected read here, too, as person has it'),
  ]);
});
