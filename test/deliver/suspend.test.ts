import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readParameters } from '../../src/database/parameters.ts';
import { resume, suspend } from '../../src/deliver/suspend.ts';
import { createStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
beforeEach(() => stage.clear());
afterAll(() => stage.close());

const route = (entity: string) => {
  const found = stage.destination().routes.get(entity);
  if (!found) throw new Error(`no route for ${entity}`);
  return found;
};
const suspendFor = async (reason: string, entity = route('person')) =>
  suspend(stage.pool, entity, reason, await readParameters(stage.pool));
const routes = () =>
  stage.query<{ entity: string; error: string | null; failures: number; pause: number | null }>(
    `select entity, error, failures, extract(epoch from retry_at - clock_timestamp())::float8 as pause from staffetta.route order by entity`,
  );
const well = { error: null, failures: 0, pause: null };

describe('an entity whose view cannot be read (PROTOCOL B12)', () => {
  test('waits longer each time, with the last reason; others do not', async () => {
    await stage.set('WAIT_SECONDS', 8);
    await stage.set('WAIT_MAX_SECONDS', 60);
    const pauses: number[] = [];
    for (const reason of ['no view', 'no column', 'no column']) {
      await suspendFor(reason);
      const [person, team] = await routes();
      expect(person).toMatchObject({ entity: 'person', error: reason, failures: pauses.length + 1 });
      expect(team).toEqual({ entity: 'team', ...well });
      pauses.push(person?.pause ?? 0);
    }
    // Each is spread over the upper half of 8, 16, 32.
    const [first = 0, second = 0, third = 0] = pauses;
    expect(first).toBeGreaterThan(3.5);
    expect(first).toBeLessThanOrEqual(8);
    expect(second).toBeGreaterThan(7.5);
    expect(second).toBeLessThanOrEqual(16);
    expect(third).toBeGreaterThan(15.5);
  });

  test('starts anew once it could be read', async () => {
    await suspendFor('no view');
    await suspendFor('no view');
    await resume(stage.pool, route('person'));
    expect(await routes()).toEqual([
      { entity: 'person', ...well },
      { entity: 'team', ...well },
    ]);
  });

  test('may be forgotten meanwhile', async () => {
    await suspendFor('no view', { ...route('person'), entity: 'forgotten' });
    await resume(stage.pool, { ...route('person'), entity: 'forgotten' });
    expect(await routes()).toEqual([
      { entity: 'person', ...well },
      { entity: 'team', ...well },
    ]);
  });
});
