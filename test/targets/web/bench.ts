import { z } from 'zod';
import { type WebConfig, web } from '../../../src/config/web.ts';
import { WebClient } from '../../../src/targets/web/client.ts';

const schema = z.strictObject({
  ...web,
  timeout: z.number().default(5_000),
  slots: z.number().default(1),
  concurrency: z.number().default(4),
});

/** What a file would say of a service, with defaults. */
function configOf(given: z.input<typeof schema>): WebConfig {
  return schema.parse(given);
}

/** A client of a service. */
export function createClient(given: z.input<typeof schema>, folder = '.'): WebClient {
  return new WebClient(configOf(given), folder);
}
