import { type HttpConfig, http } from '../../../src/config/http.ts';
import { HttpTarget } from '../../../src/targets/http/target.ts';

/** A target as a file would configure it, with `entities` and whatever else is given. */
export function createHttpTarget(given: Readonly<Record<string, unknown>>): HttpTarget {
  return new HttpTarget(configOf(given), '.');
}

function configOf(given: Readonly<Record<string, unknown>>): HttpConfig {
  return http.parse({ type: 'http', timeout: '3s', ...given });
}

export const person = {
  id: '{uid}',
  idPath: 'userName',
  stableId: '/id',
  attributes: {
    userName: '{uid}',
    'profile.title': { from: 'title' },
    'profile.age': { from: 'age', as: 'number' },
    active: { from: 'active', as: 'boolean' },
    mails: { from: 'mails', as: 'list' },
    secretWord: { from: 'secret', secret: true },
  },
  operations: {
    create: { path: '/users' },
    update: { path: '/users/{stableId}' },
    remove: { path: '/users/{stableId}' },
    read: { path: '/users/{stableId}' },
    find: { path: '/users', query: { userName: '{userName}' }, items: '/items' },
    list: { path: '/users', items: '/items', total: '/total', pages: { number: 'page' } },
  },
};

export const group = {
  id: '{name}',
  idPath: 'name',
  stableId: '/id',
  attributes: { name: '{name}', members: { ref: 'person', from: 'members' } },
  operations: {
    create: { path: '/groups' },
    update: { path: '/groups/{stableId}' },
    remove: { path: '/groups/{stableId}' },
    read: { path: '/groups/{stableId}' },
    find: { path: '/groups', query: { name: '{name}' }, items: '/items' },
    list: { path: '/groups', items: '/items', total: '/total', pages: { number: 'page' } },
  },
};
