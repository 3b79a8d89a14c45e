#!/usr/bin/env node
// Reads a line of JSON for each identity, and keeps its card in the folder $CARDS: ID.json. Answers each with a line.
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const folder = process.env.CARDS ?? '.';

async function answer({ concernedTo, payload }) {
  if (concernedTo === null) return { status: 0, message: `cards are kept in ${folder}` };
  const file = join(folder, `${encodeURIComponent(concernedTo)}.json`);
  const identity = payload.identity?.identity;
  if (identity === undefined) {
    await rm(file, { force: true });
    return { status: 0, message: 'the card is gone' };
  }
  const { cn: name, uid: login, departmentNumber: departments } = identity.inetOrgPerson;
  // Written beside it first: whoever prints never reads half a card.
  await writeFile(`${file}.new`, `${JSON.stringify({ name, login, departments })}\n`);
  await rename(`${file}.new`, file);
  return { status: 0, message: 'the card is there', data: { card: file } };
}

for await (const line of createInterface({ input: process.stdin })) {
  const result = await answer(JSON.parse(line)).catch(({ message }) => ({ status: 1, message }));
  console.log(JSON.stringify(result));
}
