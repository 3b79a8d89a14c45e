import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'ldapts';
import { describe, expect, type TestContext, test } from 'vitest';
import { scenes } from '../../src/demo/scenes.ts';
import { demonstrate } from './demonstration.ts';

const size = ['--people', '120', '--groups', '8'];

async function demo({ onTestFinished }: TestContext, ...args: string[]) {
  const one = await demonstrate(...args);
  onTestFinished(() => one.close());
  return one;
}

describe.concurrent('the demo with --once', { timeout: 90_000 }, () => {
  test('--json plays the whole tour, finds no difference and answers with one object', async (context) => {
    const { ended, printed, leftBehind } = await demo(context, '--once', '--json', ...size);
    expect(await ended, printed.stderr).toBe(0);
    const result = JSON.parse(printed.stdout);
    // One person came, one left.
    expect(result).toMatchObject({ people: 120, groups: 8, refused: 1, mismatches: 0, differences: [] });
    expect(result.changes).toBeGreaterThan(120);
    expect(result.cards).toBeGreaterThan(10);
    expect(result.accounts).toBeGreaterThan(128);
    expect(result.lines).toBeGreaterThan(10);
    expect(result.p50_ms).toBeGreaterThan(0);
    expect(result.p99_ms).toBeGreaterThanOrEqual(result.p50_ms);
    const names = ['initial load', ...scenes.map(({ name }) => name), 'directory started', 'replay', 'crowd'];
    expect(result.steps.map(({ step }: { step: string }) => step)).toEqual(names);
    for (const { ms, all_ms } of result.steps) expect(all_ms).toBeGreaterThanOrEqual(ms);
    expect(printed.stderr).toContain('status: waiting');
    expect(printed.stderr).toContain('hook reserved, beforeCreate: the login root is reserved');
    expect(printed.stderr).toContain(
      `120 people, 8 groups, ${result.cards} cards, ${result.accounts} accounts and ${result.lines} lines compared: nothing differs.`,
    );
    expect(await leftBehind()).toEqual([]);
  });

  test('says what differs in the end, and fails', async (context) => {
    const { ended, printed, shows, folder, leftBehind } = await demo(context, '--once', ...size);
    await shows(/initial load:/);
    const [url] = /ldap:\/\/[\d.:]+/.exec(printed.stdout) ?? [];
    const [slapd = ''] = (await readdir(folder)).filter((name) => name.startsWith('staffetta-slapd-'));
    const [, password] = /^rootpw (.*)$/m.exec(await readFile(join(folder, slapd, 'slapd.conf'), 'utf8')) ?? [];
    const directory = new Client({ url: url ?? '' });
    await directory.bind('cn=admin,dc=example,dc=org', password);
    const stranger = { objectClass: 'inetOrgPerson', uid: 'stranger', cn: 'Nobody knows', sn: 'Stranger' };
    await directory.add('uid=stranger,ou=people,dc=example,dc=org', stranger);
    await directory.unbind();
    expect(await ended, printed.stderr).toBe(1);
    expect(printed.stdout).toContain('compared: 1 mismatch.');
    expect(printed.stdout).toMatch(/^- unexpected: uid=stranger,ou=people,dc=example,dc=org$/m);
    expect(await leftBehind()).toEqual([]);
  });
});
