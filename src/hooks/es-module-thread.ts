/**
 * A thread in which one ES module runs, so that whatever it does – an endless loop, `process.exit()`, all memory – is the
 * end of this thread only. Its file is started by `es-module.ts`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { type FromThread, filter, toThread } from './wire.ts';

const { url } = z.object({ url: z.string() }).parse(workerData);
const running = new Map<number, AbortController>();
const searches = new Map<number, PromiseWithResolvers<unknown>>();
const functions = new Map<string, (call: unknown) => unknown>();
let searched = 0;

function say(what: FromThread): void {
  parentPort?.postMessage(what);
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function search(id: number, wanted: unknown, options: unknown): Promise<unknown> {
  searched += 1;
  const own = searched;
  const answer = Promise.withResolvers<unknown>();
  searches.set(own, answer);
  const given = z.object({ filter, options: z.record(z.string(), z.unknown()).default({}) });
  const asked = given.parse({ filter: wanted, ...(options === undefined ? {} : { options }) });
  say({ say: 'search', id, search: own, ...asked });
  return answer.promise;
}

async function call(id: number, name: string, json: string): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const given: object = JSON.parse(json);
    const ask = async (wanted: unknown, options: unknown) => await search(id, wanted, options);
    const answer = await functions.get(name)?.({ ...given, search: ask, signal: controller.signal });
    const text: string | undefined = JSON.stringify(answer);
    say({ say: 'answer', id, ...(text === undefined ? {} : { json: text }) });
  } catch (error) {
    say({ say: 'threw', id, message: words(error) });
  } finally {
    running.delete(id);
  }
}

parentPort?.on('message', (given: unknown) => {
  const heard = toThread.parse(given);
  switch (heard.say) {
    case 'call':
      void call(heard.id, heard.name, heard.json);
      break;
    case 'abort':
      running.get(heard.id)?.abort();
      say({ say: 'alive', id: heard.id });
      break;
    case 'found':
      searches.get(heard.search)?.resolve(JSON.parse(heard.json));
      searches.delete(heard.search);
      break;
    case 'not found':
      searches.get(heard.search)?.reject(new Error(heard.message));
      searches.delete(heard.search);
      break;
  }
});

try {
  const loaded: unknown = await import(url);
  if (typeof loaded === 'object' && loaded !== null)
    for (const [name, value] of Object.entries(loaded))
      if (typeof value === 'function') functions.set(name, (given) => Reflect.apply(value, undefined, [given]));
  say({ say: 'ready', functions: [...functions.keys()] });
} catch (error) {
  say({ say: 'broken', message: words(error) });
}
