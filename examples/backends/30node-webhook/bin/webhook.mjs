#!/usr/bin/env node
// webhook.mjs PUT|DELETE|HEAD: sends an identity to $WEBHOOK_URL/ID, with the bearer token in the file $WEBHOOK_TOKEN_FILE.
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

const generic = 1;
const connection = 4;
const credentials = 16;

async function send(method) {
  const { WEBHOOK_URL: base = '', WEBHOOK_TOKEN_FILE: file } = process.env;
  const { concernedTo, payload } = JSON.parse(await text(process.stdin));
  const url = concernedTo === null ? base : `${base}/${encodeURIComponent(concernedTo)}`;
  const headers = { 'content-type': 'application/json' };
  if (file) headers.authorization = `Bearer ${(await readFile(file, 'utf8')).trim()}`;
  const body = method === 'PUT' ? { body: JSON.stringify(payload.identity.identity) } : {};
  const response = await fetch(url, { method, headers, ...body, signal: AbortSignal.timeout(8_000) });
  const { status } = response;
  if (response.ok || (method === 'DELETE' && status === 404))
    return { status: 0, message: `${method} ${status}`, data: { http: status } };
  if (status === 401 || status === 403) return { status: credentials, message: `the service refuses us: ${status}` };
  return { status: status >= 500 || status === 429 ? connection : generic, message: `the service answers ${status}` };
}

const result = await send(process.argv[2]).catch((error) => ({
  status: error.cause || error.name === 'TimeoutError' ? connection : generic,
  message: `${error.message}${error.cause ? `: ${error.cause.message}` : ''}`,
}));
console.log(JSON.stringify(result));
process.exitCode = result.status;
