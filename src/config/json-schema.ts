import { z } from 'zod';
import { config } from './schema.ts';

/**
 * The JSON schema of staffetta.yml, for editors: the text of `staffetta.schema.json`. After a change of the schema,
 * `vitest run test/config/json-schema.test.ts --update` writes that file anew.
 */
export function jsonSchema(): string {
  const title = {
    title: 'staffetta.yml',
    description: 'What Staffetta replicates from PostgreSQL, and to which systems',
  };
  const { $schema, ...schema } = z.toJSONSchema(config, { io: 'input' });
  return `${JSON.stringify({ $schema, ...title, ...schema }, null, 2)}\n`;
}
