import { expect, test } from 'vitest';
import { jsonSchema } from '../../src/config/json-schema.ts';

test('staffetta.schema.json is what the schema says (written anew with --update)', async () => {
  await expect(jsonSchema()).toMatchFileSnapshot('../../staffetta.schema.json');
});

test('every key has a description', () => {
  const bare: string[] = [];
  const look = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('properties' in node && typeof node.properties === 'object' && node.properties !== null) {
      for (const [key, value] of Object.entries(node.properties)) if (!value.description) bare.push(`${path}/${key}`);
    }
    for (const [key, value] of Object.entries(node)) look(value, `${path}/${key}`);
  };
  look(JSON.parse(jsonSchema()), '');
  expect(bare).toEqual([]);
});
