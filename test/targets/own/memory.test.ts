import { own } from '../../../src/config/own.ts';
import { createLog } from '../../../src/log.ts';
import { shield } from '../../../src/targets/own/shield.ts';
import { createMemory } from '../../conformance/memory.ts';
import { conformance } from '../conformance.ts';

// What stands between a module and the engine takes nothing away from a module that does everything right.
conformance('own', async () => {
  const bench = createMemory();
  const config = own([]).parse({ type: './memory.ts', entities: { person: { id: '{id}' }, group: { id: '{id}' } } });
  const without = {
    misconfigured: 'a memory has no credentials',
    converged: 'whatever is there is there',
    dependency: 'no entry needs another',
    rejected: 'it takes everything',
    'one-sided': 'a memory has no rights',
    unknown: 'it fails in no unknown way',
  };
  return { ...bench, without, target: shield(bench.target, config, createLog()) };
});
