import { expect, test } from 'vitest';
import { route } from './route.ts';
import { restsOf } from './route-registration.ts';
import { routingTarget } from './wire-target.ts';

const rests = restsOf([
  route({ method: 'GET', group: 'public', path: '/e/:hook_id/*', aliases: ['/e/:hook_id'], tag: '', summary: '' }),
  route({ method: 'POST', group: 'plugin', path: '/tasks/:id/delete', tag: '', summary: '' }),
  route({ method: 'POST', group: 'plugin', path: '/tasks/:id/delete/*', tag: '', summary: '' }),
]);

test.each([
  ['/', '/'],
  ['//', '/'],
  ['/list', '/list'],
  ['/list/', '/list'],
  ['/list//', '/list/'],
  ['/list/?next=/', '/list?next=/'],
  ['/list?next=/', '/list?next=/'],
  ['/list/#part/', '/list#part/'],
  ['http://somewhere/list/', '/list'],
  ['http://somewhere/', '/'],
  ['*', '*'],
  ['/list/%2F', '/list/%2F'],
  ['/plugin/t/tasks/%C3%A9/', '/plugin/t/tasks/%C3%A9'],
])('a final slash goes: %s', (target, expected) => expect(routingTarget(target, rests)).toBe(expected));

test.each([
  '/e/hook/',
  '/e/hook/below/',
  '/e/hook/below/?a=b/',
  // An item without a name is none; without its slash it would be all of the task.
  '/plugin/t/tasks/1/delete/',
  '/plugin/t/tasks/1/%64elete/',
  '/plugin//tasks//delete/',
  '/plugin/t/tasks/1/delete/author/name:1.0.0@00/',
])('the rest of a path is kept for the route that reads it: %s', (target) =>
  expect(routingTarget(target, rests)).toBe(target),
);

test('a path that cannot be decoded stays as it is', () =>
  expect(routingTarget('/list/%zz/', rests)).toBe('/list/%zz/'));

test('where no route reads the rest of a path, every final slash goes', () =>
  expect(routingTarget('/e/hook/', restsOf([]))).toBe('/e/hook'));
