/** Mistakes that only a script target can have. */
import { afterAll, expect, test } from 'vitest';
import { createWritten } from './written.ts';

const { load, mistakesIn, remove } = createWritten();
afterAll(remove);

const good = `version: 1
database: { url: postgres://localhost/x }
entities: { person: { view: registry.v_person, key: id, sources: {} } }
targets:
  programs:
    type: script
    entities:
      person:
        id: "{id}"
        attributes:
          inetOrgPerson.cn: "{name}"
          state: { from: state, as: number }
        deprovision: [disable, { after: 90d, do: delete }]
`;

test('a script target has defaults, and disables by itself', () => {
  expect(mistakesIn(good)).toEqual([]);
  const { programs } = load(good).config.targets;
  expect(programs).toMatchObject({
    ...{
      backends: 'backends',
      process: {},
      createAction: 'IDENTITY_UPDATE',
      env: {},
      shell: false,
      maxOutput: 4_194_304,
    },
    entities: {
      person: {
        attributes: { 'inetOrgPerson.cn': { kind: 'template', as: 'text' }, state: { kind: 'column', as: 'number' } },
        disable: { attributes: { enabled: 'FALSE' } },
      },
    },
  });
});

const above = 'targets.programs.entities.person';

test.each([
  [
    'as: number',
    'as: integer',
    `12:37: ${above}.attributes.state.as: found "integer", expected text, number, boolean, list or bytes`,
  ],
  ['as: number', 'policy: add', `12:33: ${above}.attributes.state.policy: unknown key. Known keys: from, secret, as`],
  [
    'state: {',
    'inetOrgPerson: {',
    `12:11: ${above}.attributes.inetOrgPerson: found a value for "inetOrgPerson", while "inetOrgPerson.cn" stands inside it; expected one of the two`,
  ],
  [
    'state: {',
    'a..b: {',
    `12:11: ${above}.attributes["a..b"]: expected a path of the document such as inetOrgPerson.cn`,
  ],
  ['        id: "{id}"\n', '', `8:7: ${above}.id: missing; expected text`],
  [
    '"{id}"',
    '"{id"',
    `9:13: ${above}.id: not a template: a "{" is not followed by a column and "}"; a literal brace is written "{{"`,
  ],
  [
    'id: "{id}"',
    'id: "{id}"\n        match: { a: b }',
    `10:9: ${above}.match: unknown key. Known keys: view, only, attributes, deprovision, removeAfter, revisit, writeBack, id, password`,
  ],
  [
    'type: script',
    'type: script\n    process: { dummy: spawn }',
    '7:23: targets.programs.process.dummy: found "spawn", expected stream',
  ],
  [
    'type: script',
    'type: script\n    url: ldap://x',
    '7:5: targets.programs.url: unknown key. Known keys: type, mode, guard, after, slots, batch, concurrency, timeout, hooks, backends, process, createAction, env, shell, maxOutput, entities',
  ],
])('with %j written %j has one message', (passage, instead, message) => {
  expect(good).toContain(passage);
  expect(mistakesIn(good.replace(passage, instead))).toEqual([message]);
});
