// The official client for Node, as it comes: it finds its resources by discovery and sends enums as numbers.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { text as whole } from 'node:stream/consumers';

import * as devops from 'azure-devops-node-api';
import { BuildQueryOrder, BuildResult, BuildStatus } from 'azure-devops-node-api/interfaces/BuildInterfaces.js';

import { App, PATIENCE, newToken, pipeline, token, until } from './world.js';

const PROJECT = 'altinn-studio';
let app;
let key;
let builds;

const connect = (secret, base = pipeline) =>
  new devops.WebApi(base, devops.getPersonalAccessTokenHandler(secret)).getBuildApi();

before(async () => {
  [app, key, builds] = await Promise.all([App.made(), newToken(), connect(token)]);
});
after(() => app?.gone());

const order = (tag, more = {}) => ({
  definition: { id: 683 },
  parameters: app.parameters({ APP_COMMIT_ID: app.head, TAGNAME: tag, APP_DEPLOY_TOKEN: key, ...more }),
});

const end = (id) =>
  until(`the end of build ${id}`, async () => {
    const build = await builds.getBuild(PROJECT, id);
    return build.status === BuildStatus.Completed ? build : undefined;
  });

test('a build of a commit, from its queue to its logs', { timeout: PATIENCE }, async () => {
  const commit = app.say('by the client for Node');
  const queued = await builds.queueBuild(order('1.0.0'), PROJECT);
  assert.equal(queued.definition.id, 683);
  assert.equal(queued.sourceVersion, commit);
  assert.ok(queued.queueTime instanceof Date);
  const build = await end(queued.id);
  assert.equal(build.result, BuildResult.Succeeded, JSON.stringify(build.validationResults));
  assert.ok(build.startTime >= build.queueTime && build.finishTime > build.startTime);

  const timeline = await builds.getBuildTimeline(PROJECT, queued.id);
  const tasks = timeline.records.filter((record) => record.type === 'Task');
  assert.deepEqual(tasks.map((task) => task.name), ['Clone', 'Build image', 'Push image']);
  for (const task of tasks) {
    assert.deepEqual([task.state, task.result], [2, 0], task.name);
    assert.ok(task.finishTime >= task.startTime, task.name);
  }

  const logs = await builds.getBuildLogs(PROJECT, queued.id);
  assert.deepEqual(logs.map((log) => log.id), tasks.map((task) => task.log.id));
  const lines = await builds.getBuildLogLines(PROJECT, queued.id, logs[0].id);
  assert.equal(lines.length, logs[0].lineCount);
  assert.ok(lines.some((line) => line.includes(commit.slice(0, 8))), lines.join('\n'));
  const second = await builds.getBuildLogLines(PROJECT, queued.id, logs[0].id, 2, 2);
  assert.deepEqual(second, [lines[1]]);
  const plain = await whole(await builds.getBuildLog(PROJECT, queued.id, logs[0].id));
  assert.deepEqual(plain.trimEnd().split('\n'), lines);
});

test('lists are filtered', { timeout: PATIENCE }, async () => {
  const first = await builds.queueBuild(order('2.0.0'), PROJECT);
  const [id, done] = [first.id, await end(first.id)];
  // Pushes start builds of their own meanwhile, of another definition.
  const list = ({ definitions = [683], number, status, result, top, after: since, before: till, order: by, ids }) =>
    builds.getBuilds(
      PROJECT, definitions, undefined, number, since, till, undefined, undefined, status, result, undefined,
      undefined, top, undefined, undefined, undefined, by, undefined, ids,
    );
  const numbers = async (filter) => (await list(filter)).map((build) => build.id);
  const all = await numbers({});
  assert.deepEqual(all, [...all].sort((a, b) => b - a), 'newest first');
  assert.equal(all[0], id);
  assert.deepEqual(await numbers({ top: 1 }), [id]);
  assert.deepEqual(await numbers({ ids: [id] }), [id]);
  assert.deepEqual(await numbers({ number: String(id) }), [id]);
  assert.deepEqual(await numbers({ definitions: [618], ids: [id] }), []);
  assert.deepEqual(await numbers({ definitions: [683, 618], ids: [id] }), [id]);
  assert.deepEqual(await numbers({ status: BuildStatus.InProgress, ids: [id] }), []);
  assert.deepEqual(await numbers({ status: BuildStatus.Completed, ids: [id] }), [id]);
  assert.deepEqual(await numbers({ result: BuildResult.Failed, ids: [id] }), []);
  assert.deepEqual(await numbers({ result: done.result, ids: [id] }), [id]);
  assert.deepEqual(await numbers({ after: new Date(done.queueTime.getTime() + 1000) }), []);
  assert.ok(!(await numbers({ before: new Date(done.queueTime.getTime() - 1000) })).includes(id));
  const rising = await numbers({ order: BuildQueryOrder.QueueTimeAscending });
  assert.deepEqual(rising, [...all].reverse());
});

test('a build that waits and one that is carried out are cancelled, and deleted', { timeout: PATIENCE }, async () => {
  app.say('to be given up');
  const running = await builds.queueBuild(order('3.0.0'), PROJECT);
  const waiting = await builds.queueBuild(order('3.0.1'), PROJECT);
  await until('the build task', async () => {
    const { records } = await builds.getBuildTimeline(PROJECT, running.id);
    return records.find((record) => record.name === 'Build image' && record.state === 1);
  });
  assert.equal((await builds.getBuild(PROJECT, waiting.id)).status, BuildStatus.NotStarted, 'one app, one build');
  const cancel = (id) => builds.updateBuild({ status: BuildStatus.Cancelling }, PROJECT, id);
  const given = await cancel(waiting.id);
  assert.deepEqual([given.status, given.result], [BuildStatus.Completed, BuildResult.Canceled]);
  await assert.rejects(builds.deleteBuild(PROJECT, running.id), (error) => error.statusCode === 409);
  const given2 = await cancel(running.id);
  assert.ok([BuildStatus.Cancelling, BuildStatus.Completed].includes(given2.status));
  assert.equal((await end(running.id)).result, BuildResult.Canceled);
  const { records } = await builds.getBuildTimeline(PROJECT, running.id);
  assert.equal(records.find((record) => record.name === 'Push image').result, 4, 'skipped');
  // Once more changes nothing.
  assert.equal((await cancel(running.id)).result, BuildResult.Canceled);
  for (const id of [running.id, waiting.id]) {
    await builds.deleteBuild(PROJECT, id);
    assert.equal(await builds.getBuild(PROJECT, id), null);
  }
});

test('what is wrong is told as the client expects it', async () => {
  assert.equal(await builds.getBuild(PROJECT, 2_000_000_000), null);
  assert.equal(await builds.getBuildTimeline(PROJECT, 2_000_000_000), null);
  const refused = (wanted, ...words) => (error) => {
    assert.equal(error.statusCode, wanted);
    for (const word of words) assert.match(error.message, new RegExp(word));
    return true;
  };
  const queue = (body) => builds.queueBuild(body, PROJECT);
  await assert.rejects(queue({ definition: { id: 9999 } }), refused(400, '9999'));
  await assert.rejects(queue({ definition: { id: 683 }, parameters: '{' }), refused(400, 'parameters'));
  await assert.rejects(
    queue({ definition: { id: 683 }, parameters: '{}' }),
    refused(400, 'APP_OWNER', 'APP_DEPLOY_TOKEN', 'GITEA_ENVIRONMENT'),
  );
  await assert.rejects(queue(order('-')), refused(400, 'TAGNAME'));
  await assert.rejects(queue(order('1', { APP_COMMIT_ID: 'master' })), refused(400, 'APP_COMMIT_ID'));
  // 404 is `null` to this client, whatever was asked.
  assert.equal(await builds.updateBuild({ status: BuildStatus.Cancelling }, PROJECT, 2_000_000_000), null);
});

test('a wrong token opens nothing', async () => {
  for (const wrong of [`${token}x`, token.slice(1), 'x']) {
    await assert.rejects(connect(wrong), (error) => error.statusCode === 401 && /token/.test(error.message));
  }
});

test('a collection in front changes nothing', async () => {
  const collected = await connect(token, `${pipeline}/TTD-Collection`);
  const [newest] = await collected.getBuilds(PROJECT, undefined, undefined, undefined, undefined, undefined, undefined,
    undefined, undefined, undefined, undefined, undefined, 1);
  assert.match(newest.url, /\/TTD-Collection\/.*_apis\/build\/builds\/\d+$/i);
});
