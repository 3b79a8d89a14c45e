import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance, openTarget } from 'staffetta/conformance';

conformance('cards', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cards-'));
  const cards = join(folder, 'cards');
  await mkdir(cards);
  const settings = { type: `${import.meta.dirname}/cards.ts`, entities: { person: { id: '{id}' } } };
  const target = await openTarget(settings, folder);
  /** A card as somebody else sees it. */
  const attributesOf = async (name: string) => {
    const file = join(cards, `${createHash('sha256').update(name).digest('hex')}.json`);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    return text === undefined ? undefined : JSON.parse(text).attributes;
  };
  return {
    target,
    entity: 'person',
    title: 'title',
    unique: 'name',
    id: (name) => name,
    attributes: (name, title = 'first') => ({ name: [name], title: [title] }),
    titles: async (name) => {
      const attributes = await attributesOf(name);
      return attributes && (attributes.title ?? []);
    },
    several: 'mail',
    bytes: 'photo',
    values: async (name, attribute) => {
      const attributes = await attributesOf(name);
      return attributes && (attributes[attribute] ?? []);
    },
    bring: {
      // Somebody forgot to mount the folder.
      misconfigured: async () => {
        await rename(cards, `${cards}.away`);
        return { over: () => rename(`${cards}.away`, cards) };
      },
    },
    without: {
      find: 'cards are never adopted',
      unavailable: 'a folder is there or is not',
      'stable id': 'cards have none',
      hang: 'the disk of a test does not hang',
    },
    close: async () => {
      await target.close();
      await rm(folder, { recursive: true });
    },
  };
});
