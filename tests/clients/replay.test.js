// Designer's own requests, as recorded in `recorded/`, and what each flag and each fault really does: to the registry, to the
// cluster and to what the app answers. Contract: `altinn-contracts.md` §2.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import {
  App, PATIENCE, ask, askGitea, askOpen, askPipeline, basic, deployed, ended, giteaEnvironment, newToken, org, pipeline, port, router,
  run, said, sleep, tasks, token, until,
} from './world.js';

const registry = process.env.REGISTRY_URL;
let app;
let key;
/** Versions of the app: what each says, and its commit. */
let first;
let second;

before(async () => {
  [app, key] = await Promise.all([App.made(), newToken()]);
  first = { text: 'first words', commit: app.say('first words') };
  second = { text: 'second words', commit: app.say('second words') };
});
after(() => app?.gone());

/** A recorded request with these values in its places; `change` changes the parameters. */
function recorded(name, values = {}, change = (told) => told) {
  const all = {
    basic: Buffer.from(`:${token}`).toString('base64'),
    app: app.name,
    key: `token ${key}`,
    // Gitea itself takes a token in this header; X-Api-Key is read by what stands in front of it.
    header: 'Authorization',
    studio: giteaEnvironment.split('/')[0],
    port,
    deployment: '7',
    ...values,
  };
  const filled = readFileSync(new URL(`recorded/${name}.http`, import.meta.url), 'utf8')
    .replace(/^#.*\n/gm, '')
    .replace(/\{\{(\w+)\}\}/g, (_, word) => {
      assert.ok(all[word] !== undefined, `${name}.http wants ${word}`);
      return all[word];
    });
  const [head, text] = filled.split('\n\n');
  const [line, ...rest] = head.trim().split('\n');
  const [method, path] = line.split(' ');
  const headers = Object.fromEntries(rest.map((header) => header.split(/: (.*)/s).slice(0, 2)));
  let body = text?.trim();
  if (body) {
    const told = JSON.parse(body);
    body = JSON.stringify({ ...told, parameters: JSON.stringify(change(JSON.parse(told.parameters))) });
  }
  return ask(method, `${pipeline}${path}`, { headers, body: body || undefined });
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,7}Z$/;

/** Sends it and checks all that Designer reads of the answer. */
async function queued(name, values, change) {
  const { status, headers, json } = await recorded(name, values, change);
  assert.equal(status, 200, JSON.stringify(json));
  assert.match(headers['content-type'], /^application\/json/);
  assert.ok(Number.isInteger(json.id) && json.id > 0 && json.id < 2 ** 31, json.id);
  assert.ok(['notStarted', 'inProgress'].includes(json.status), json.status);
  assert.match(json.queueTime, TIME);
  assert.equal(typeof json.parameters, 'string');
  for (const secret of [key, token]) assert.ok(!JSON.stringify(json).includes(secret), 'a token is told');
  return json.id;
}

/** Queues it and waits for its end, asking as Designer does. */
async function done(name, values, change, asked = 'status') {
  const id = await queued(name, values, change);
  const build = await until(`the end of ${name}`, async () => {
    const { status, json } = await recorded(asked, { id });
    assert.equal(status, 200);
    return json.status === 'completed' ? json : undefined;
  });
  assert.ok(['succeeded', 'failed', 'canceled'].includes(build.result), build.result);
  for (const time of [build.startTime, build.finishTime]) assert.match(time, TIME);
  return build;
}

async function succeeded(...all) {
  const build = await done(...all);
  assert.equal(build.result, 'succeeded', (await said(build.id)).join('\n'));
  return build;
}

async function failed(code, ...all) {
  const build = await done(...all);
  const lines = await said(build.id);
  assert.equal(build.result, 'failed', lines.join('\n'));
  assert.ok(lines.some((line) => line.includes(code)), lines.join('\n'));
  const { records } = (await askPipeline('GET', `/_apis/build/builds/${build.id}/timeline`)).json;
  assert.ok(records.some((record) => record.issues.some((issue) => issue.message.includes(code))), 'no issue names it');
  for (const line of lines) assert.ok(!line.includes(key), 'a token is in the log');
  return { ...build, lines };
}

/** The tags of the app in its organisation's registry. */
async function tags(name = app.name) {
  const { json } = await ask('GET', `${registry}/v2/${org}-${name}/tags/list`);
  return json?.tags ?? [];
}

const answers = (text, from = app) =>
  until(`the answer "${text}"`, async () => ((await from.health()) === text ? text : undefined), 60_000);

const limit = { timeout: PATIENCE };

describe('Designer of today', () => {
  test('a release is built and pushed; nothing is deployed', limit, async () => {
    const build = await succeeded('build', { commit: first.commit, tag: '1.0.0' });
    assert.deepEqual(await tasks(build.id), { Clone: 'succeeded', 'Build image': 'succeeded', 'Push image': 'succeeded' });
    assert.ok((await tags()).includes('1.0.0'));
    assert.equal(await deployed(app.name), undefined);
    assert.equal(await app.health(), undefined);
  });

  test('a release is deployed, and answers', limit, async () => {
    const build = await succeeded('deploy', { commit: first.commit, tag: '1.0.0' });
    assert.equal(Object.values(await tasks(build.id)).join(), 'succeeded,succeeded,succeeded,succeeded');
    assert.equal(await deployed(app.name), '1.0.0');
    await answers(first.text);
    const gateway = `/clusters/${org}/local/runtime/gateway/api/v1/deploy`;
    const all = (await askOpen(`${gateway}/origin/prod/apps`)).json;
    const own = all.find((one) => one.app === app.name);
    assert.equal(own.imageTag, '1.0.0');
    assert.match(own.buildId, /^\d+$/);
    assert.equal((await askOpen(`${gateway}/apps/${app.name}/prod`)).json.imageTag, '1.0.0');
  });

  test('with a project and a collection in the address: the next version', limit, async () => {
    await succeeded('build-in-project', { commit: second.commit, tag: '2.0.0' }, undefined, 'status-in-project');
    await succeeded('deploy-in-project', { commit: second.commit, tag: '2.0.0' });
    assert.equal(await deployed(app.name), '2.0.0');
    await answers(second.text);
  });

  test('an older commit under a new version serves the older text', limit, async () => {
    await succeeded('build', { commit: first.commit, tag: '3.0.0' });
    await succeeded('deploy', { commit: first.commit, tag: '3.0.0' });
    assert.equal(await deployed(app.name), '3.0.0');
    await answers(first.text);
  });

  test('a version that was never built is not deployed, and what served goes on', limit, async () => {
    const { lines } = await failed('9.9.9', 'deploy', { commit: first.commit, tag: '9.9.9' });
    assert.ok(lines.some((line) => line.includes('there is no image')), lines.join('\n'));
    assert.equal(await deployed(app.name), '3.0.0');
    assert.equal(await app.health(), first.text);
  });

  test('sync-root tells what runs', limit, async () => {
    const build = await succeeded('sync-root');
    assert.ok((await said(build.id)).some((line) => line.endsWith(`${org}-${app.name} 3.0.0`)));
  });

  test('undeploy takes it away, twice without fault', limit, async () => {
    await succeeded('undeploy', { key });
    assert.equal(await deployed(app.name), undefined);
    await until('no answer', async () => ((await app.health()) === undefined ? true : undefined), 60_000);
    await succeeded('undeploy', { key });
  });

  test('decommission takes it away too', limit, async () => {
    await succeeded('deploy', { commit: second.commit, tag: '2.0.0' });
    await answers(second.text);
    await succeeded('decommission', { key });
    assert.equal(await deployed(app.name), undefined);
  });
});

describe('Designer of 2019', () => {
  test('should_deploy=True: built and deployed under the commit', limit, async () => {
    await succeeded('classic', { commit: second.commit, deploy: 'True', key }, undefined, 'classic-status');
    assert.equal(await deployed(app.name), second.commit);
    await answers(second.text);
  });

  test('should_deploy=False: built alone', limit, async () => {
    const build = await succeeded('classic-in-project', { commit: first.commit, deploy: 'False', key }, undefined, 'classic-status');
    assert.deepEqual(Object.keys(await tasks(build.id)), ['Clone', 'Build image', 'Push image']);
    assert.ok((await tags()).includes(first.commit));
    assert.equal(await deployed(app.name), second.commit);
    assert.equal(await app.health(), second.text);
  });

  test('should_build=False: nothing is built or pushed', limit, async () => {
    const commit = app.say('never built');
    const before = await tags();
    const build = await succeeded('classic', { commit, deploy: 'False', key }, (told) => ({ ...told, should_build: 'False' }));
    assert.deepEqual(Object.keys(await tasks(build.id)), ['Clone']);
    assert.deepEqual(await tags(), before);
    // And nothing that was not built is deployed.
    await failed('there is no image', 'classic', { commit, deploy: 'True', key }, (told) => ({ ...told, should_build: 'False' }));
    assert.equal(await app.health(), second.text);
  });

  test('should_build=False, should_deploy=True: what was built before is deployed', limit, async () => {
    const build = await succeeded(
      'classic', { commit: first.commit, deploy: 'True', key }, (told) => ({ ...told, should_build: 'False' }),
    );
    assert.ok(!('Build image' in (await tasks(build.id))));
    assert.equal(await deployed(app.name), first.commit);
    await answers(first.text);
    await succeeded('undeploy', { key });
  });
});

describe('tokens and repositories', () => {
  test('a private repository opens with the token, and only with it', limit, async () => {
    const hidden = await App.made(true);
    try {
      const own = { app: hidden.name, commit: hidden.head, tag: '1.0.0' };
      const build = await failed('AL3003', 'build', { ...own, key: 'token 0123456789abcdef0123456789abcdef01234567' });
      assert.match(JSON.stringify(build.validationResults), /token/);
      assert.deepEqual(await tags(hidden.name), []);
      // Nor does a second try, by its number alone, go on as somebody who may.
      const again = await askPipeline('PATCH', `/_apis/build/builds/${build.id}?retry=true`, { body: {} });
      assert.equal(again.status, 400);
      assert.match(again.json.message, /fetched nothing/);
      await failed('AL3003', 'build', { ...own, key: 'wrong' }, ({ APP_AUTH_HEADER_NAME: _, ...told }) => told);
      await succeeded('build', own);
      // A token as password, as Designer's own system sends it.
      await succeeded('build', { ...own, key, tag: '1.0.1' }, ({ APP_AUTH_HEADER_NAME: _, ...told }) => told);
      assert.deepEqual((await tags(hidden.name)).sort(), ['1.0.0', '1.0.1']);
    } finally {
      await hidden.gone();
    }
  });

  test('a key under X-Api-Key that nobody knows is refused', limit, async () => {
    await failed('AL3003', 'build', { commit: first.commit, tag: '4.0.0', header: 'X-Api-Key', key: 'nobody-knows-this' });
  });

  test('a repository or a commit that is not there', limit, async () => {
    const nowhere = await failed('nowhere-at-all', 'build', { app: 'nowhere-at-all', commit: first.commit, tag: '1.0.0' });
    assert.match(JSON.stringify(nowhere.validationResults), /\w/);
    await failed('0123456789', 'build', { commit: '0123456789'.repeat(4), tag: '4.0.1' });
  });

  test('source that does not compile: the run fails with the place', limit, async () => {
    const broken = await App.made();
    try {
      broken.append('App/Startup.cs', 'class Broken { int x = ; }\n');
      const { lines } = await failed('error', 'build', { app: broken.name, commit: broken.push('app: breaks'), tag: '1.0.0' });
      assert.ok(lines.some((line) => /Startup\.cs\(\d+,\d+\): error CS\d+/.test(line)), lines.slice(-10).join('\n'));
      assert.ok(lines.some((line) => /##\[error\]AL3102/.test(line)), lines.slice(-10).join('\n'));
      assert.deepEqual(await tags(broken.name), []);
    } finally {
      await broken.gone();
    }
  });
});

describe('requests that are refused', () => {
  const refused = async (words, ...all) => {
    const { status, json } = await recorded(...all);
    assert.equal(status, 400, JSON.stringify(json));
    assert.match(json.typeKey, /Exception$/);
    for (const word of words) assert.match(json.message, new RegExp(word), json.message);
  };
  const without = (...names) => (told) => {
    const left = { ...told };
    for (const name of names) delete left[name];
    return left;
  };
  const build = { commit: '0'.repeat(40), tag: '1.0.0' };

  test('each parameter that is missing is named, all at once', async () => {
    const names = ['APP_OWNER', 'APP_REPO', 'APP_COMMIT_ID', 'TAGNAME', 'APP_DEPLOY_TOKEN', 'GITEA_ENVIRONMENT'];
    for (const name of names) await refused([name], 'build', build, without(name));
    await refused(names.slice(2), 'build', build, without(...names.slice(2)));
    await refused(['APP_ENVIRONMENT', 'TAGNAME'], 'deploy', build, without('APP_ENVIRONMENT', 'TAGNAME'));
    await refused(['APP_ENVIRONMENT'], 'undeploy', {}, without('APP_ENVIRONMENT'));
  });

  test('values that mean nothing here are named', async () => {
    const change = (name, value) => (told) => ({ ...told, [name]: value });
    await refused(['APP_ENVIRONMENT', 'tt02', 'local'], 'deploy', build, change('APP_ENVIRONMENT', 'tt02'));
    await refused(['APP_OWNER', 'nobody'], 'build', build, change('APP_OWNER', 'nobody'));
    await refused(['GITEA_ENVIRONMENT', 'altinn.studio'], 'build', build, change('GITEA_ENVIRONMENT', 'altinn.studio/repos'));
    await refused(['APP_AUTH_HEADER_NAME'], 'build', build, change('APP_AUTH_HEADER_NAME', 'a: b\r\nc'));
    await refused(['should_deploy', 'perhaps'], 'classic', { ...build, deploy: 'perhaps' });
    for (const tag of ['-1', 'a/b', 'æ', 'x'.repeat(64), 'a b']) await refused(['TAGNAME'], 'build', build, change('TAGNAME', tag));
    for (const commit of ['main', '0'.repeat(39), `--upload-pack=${'0'.repeat(26)}`]) {
      await refused(['APP_COMMIT_ID'], 'build', build, change('APP_COMMIT_ID', commit));
    }
    for (const repository of ['../../etc', 'a/b', '..']) await refused(['APP_REPO'], 'build', build, change('APP_REPO', repository));
  });

  test('a definition that is not there, and bodies that are none', async () => {
    const post = (body) => askPipeline('POST', '/_apis/build/builds?api-version=5.1', { body });
    for (const [body, word] of [
      [{ definition: { id: 1 } }, '1'], [{}, 'definition'], ['[', 'body'], ['[]', 'body'], [{ definition: { id: 'x' } }, 'body'],
      [{ definition: { id: 683 }, parameters: '[]' }, 'parameters'], [{ definition: { id: 683 }, parameters: 5 }, 'parameters'],
    ]) {
      const { status, json } = await post(body);
      assert.equal(status, 400, JSON.stringify(body));
      assert.match(json.message, new RegExp(word));
    }
  });

  test('nobody without the token, and no page', async () => {
    const path = `${pipeline}/_apis/build/builds`;
    for (const authorization of [undefined, basic('', 'x'), basic('', ''), 'Bearer x', 'Basic', basic(token, '')]) {
      const { status } = await ask('GET', path, { headers: authorization ? { authorization } : {} });
      assert.equal(status, 401, authorization);
    }
    assert.equal((await askPipeline('GET', '/_apis/build/builds', { headers: { origin: 'http://evil.example' } })).status, 403);
    assert.equal((await askPipeline('GET', '/_apis/build/builds', { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403);
    const other = await ask('GET', path, { headers: { authorization: basic('', token) }, host: 'evil.example' });
    assert.equal(other.status, 421);
  });
});

test('a run is queued anew, by its number', limit, async () => {
  const id = await queued('build', { commit: first.commit, tag: '5.0.0' });
  assert.equal((await ended(id)).result, 'succeeded');
  const { status, json } = await askPipeline('PATCH', `/_apis/build/builds/${id}?retry=true`, { body: {} });
  assert.equal(status, 200);
  assert.ok(json.id > id);
  assert.equal((await ended(json.id)).result, 'succeeded', (await said(json.id)).join('\n'));
  assert.equal((await run(json.id)).sourceVersion, first.commit);
});

test('what Designer reads besides is open at the name of the pipeline', async () => {
  const { environments } = (await askOpen('/environments.json')).json;
  for (const name of ['platformUrl', 'appsUrl', 'hostname', 'appPrefix', 'platformPrefix', 'name', 'type']) {
    assert.equal(typeof environments[0][name], 'string', name);
  }
  assert.equal(environments[0].name, 'local');
  assert.ok((await askOpen('/altinn-orgs.json')).json.orgs[org]);
  assert.equal((await askOpen('/_apis/build/builds')).status, 401);
  assert.equal((await askOpen(`/clusters/${org}/tt02/kuberneteswrapper/api/v1/deployments`)).status, 404);
  assert.equal((await askOpen('/clusters/nobody/local/kuberneteswrapper/api/v1/deployments')).status, 404);
  const unsigned = await ask('POST', `${router}/hooks/gitea`, { host: `pipeline.studio.localhost:${port}`, body: {} });
  assert.equal(unsigned.status, 401);
});

describe('the commit in Gitea', () => {
  const told = (commit, state) =>
    until(`the state of ${commit}`, async () => {
      const all = await askGitea('GET', `/repos/${org}/${app.name}/commits/${commit}/statuses?limit=50`);
      // A push has its own: that of its quality build.
      const own = all.filter((one) => one.context.endsWith('build-app-image'));
      // Gitea lists by seconds, within which several were told; their numbers say which one is the newest.
      const newest = own.sort((one, other) => other.id - one.id)[0];
      return newest?.status === state ? true : undefined;
    }, 20_000);

  test('has the state of its last run', limit, async () => {
    await ended(await queued('build', { commit: second.commit, tag: '6.0.0' }));
    await told(second.commit, 'success');
  });

  test('has it too when the parameters are named in another case', limit, async () => {
    const commit = app.say('in small letters');
    const small = (all) => Object.fromEntries(Object.entries(all).map(([name, value]) => [name.toLowerCase(), value]));
    await succeeded('build', { commit, tag: '7.0.0' }, small);
    await told(commit, 'success');
  });

  test('is failed when its build failed at once', limit, async () => {
    const commit = app.say('never fetched');
    for (let turn = 0; turn < 5; turn += 1) {
      await failed('AL3003', 'build', { commit, tag: '8.0.0', key: 'token 0123456789abcdef0123456789abcdef01234567' });
    }
    await told(commit, 'failure');
    // What was told as the run began must not come after its end.
    await sleep(3000);
    await told(commit, 'failure');
  });
});
