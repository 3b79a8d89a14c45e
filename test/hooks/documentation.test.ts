import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Call } from '../../src/hooks/hook.ts';
import { create, createWorkshop, type Workshop } from './workshop.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/hooks.md'), 'utf8');
const program = (language: string) =>
  page.match(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm'))?.[1] ?? '';

describe('docs/hooks.md', () => {
  let shop: Workshop;
  beforeAll(async () => {
    shop = await createWorkshop({ 'gate.ts': program('ts'), 'log.sh': program('sh').replace('/var/log/', './') });
  });
  afterAll(() => shop.close());

  test('has a module that lets in and refuses', async () => {
    const hooks = shop.hooks([{ name: 'gate', module: 'gate.ts' }]);
    const search = async () => [{ remoteId: 'uid=eve', attributes: {} }];
    const welcome = await shop.round(hooks, create, {}, search);
    expect(await welcome.before()).toBeUndefined();
    expect(welcome.statuses).toMatchObject([{ code: 0, message: 'uid=eve has this address, too' }]);
    const nobody = await shop.round(hooks, { ...create, operation: 'create', attributes: { cn: ['Nobody'] } });
    expect(await nobody.before()).toBe('hook gate, beforeCreate: nobody is let in without an address');
  });

  test('has a program that keeps what it is told', async () => {
    const round = await shop.round(shop.hooks([{ name: 'log', script: 'log.sh' }]), create);
    await round.before();
    expect(round.statuses).toMatchObject([{ code: 0, message: 'noted' }]);
    const told: Call = JSON.parse(readFileSync(join(shop.folder, 'staffetta-hooks.jsonl'), 'utf8'));
    // Everything that a module is told is on the page.
    const missing = Object.keys(told).filter((key) => !new RegExp(`^\\|.*\`${key}\`.*\\|`, 'm').test(page));
    expect(missing).toEqual([]);
  });
});
