import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance, openTarget } from 'staffetta/conformance';

conformance('cards', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cards-'));
  const cards = join(folder, 'cards');
  await mkdir(cards);
  const settings = { type: join(import.meta.dirname, 'cards.ts'), entities: { person: { id: '{id}' } } };
  const target = await openTarget(settings, folder);

  /** A card as somebody else sees it. */
  const attributesOf = async (name: string) => {
    const file = join(cards, `${createHash('sha256').update(name).digest('hex')}.json`);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    return text === undefined ? undefined : JSON.parse(text).attributes;
  };
  const values = async (name: string, attribute: string) => {
    const attributes = await attributesOf(name);
    return attributes && (attributes[attribute] ?? []);
  };

  return {
    target,
    entity: 'person',
    title: 'title',
    unique: 'name',
    id: (name) => name,
    attributes: (name, title = 'first') => ({ name: [name], title: [title] }),
    titles: (name) => values(name, 'title'),
    several: 'mail',
    bytes: 'photo',
    values,
    bring: {
      // Somebody forgot to mount the folder.
      misconfigured: async () => {
        await rename(cards, `${cards}.away`);
        return { over: () => rename(`${cards}.away`, cards) };
      },
    },
    without: {
      find: 'cards are never adopted',
      'stable id': 'a card has none',
      unavailable: 'a folder is there or is not',
      converged: 'a card is written whole',
      dependency: 'no card needs another',
      rejected: 'a card takes anything',
      'one-sided': 'the tests run as the owner of the folder',
      unknown: 'it would take a disk that is full',
      loseAnswer: 'there is no answer between a file and us',
      hang: 'the disk of a test does not hang',
      references: 'cards are of people only',
      setPassword: 'cards have no passwords',
    },
    close: async () => {
      await target.close();
      await rm(folder, { recursive: true });
    },
  };
});
