// What a form that was sent in left behind, read back by other means than the app's: the platform's API, SQL, and the
// official clients of Blob Storage and of JSON Web Tokens.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { BlobServiceClient } from "@azure/storage-blob";
import { createLocalJWKSet, jwtVerify } from "jose";

import { ask, platformOf } from "./person.js";

const run = promisify(execFile);

/** What the tool shows of the stack's services: `{ postgres: { … }, azurite: { connection, … } }`, by service and user. */
async function logins(program) {
  const { stdout } = await run(program, ["credentials", "--json"]);
  const { logins, stack } = JSON.parse(stdout);
  return { stack, find: (service, user) => logins.find((one) => one.service === service && (!user || one.user === user)) };
}

/** Documents of Storage's and Events' databases. */
async function sql(stack, database, query) {
  const words = ["exec", `altinn-${stack}-postgres`, "psql", "-U", "postgres", "-d", database, "-At", "-c", query];
  return (await run("docker", words)).stdout.trim().split("\n").filter(Boolean);
}

/** A token of this user, checked as any service in any language would. */
async function checked(platform, user) {
  const get = async (path) => (await ask("GET", `http://${platform}${path}`)).body.toString();
  const token = await get(`/Home/GetTestUserToken/${user}`);
  const about = JSON.parse(await get("/authentication/api/v1/openid/.well-known/openid-configuration"));
  assert.equal(new URL(about.jwks_uri).host, platform, "the key set's address is the one that clients see");
  const keys = createLocalJWKSet(JSON.parse(await get(new URL(about.jwks_uri).pathname)));
  const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer: about.issuer, algorithms: ["RS256"] });
  assert.equal(protectedHeader.alg, "RS256");
  assert.equal(Number(payload["urn:altinn:userid"]), user);
  const [head, body, signature] = token.split(".");
  const changed = Buffer.from(JSON.stringify({ ...payload, "urn:altinn:userid": 12345 })).toString("base64url");
  await assert.rejects(jwtVerify(`${head}.${changed}.${signature}`, keys), "a changed token passes");
  assert.ok(body);
  return token;
}

/** Everything there is of an instance, `partyId/guid`, that this user sent in with this text and this file. */
export async function kept({ app, program, user, id, text, name, bytes }) {
  const platform = platformOf(app);
  const token = await checked(platform, user);
  const get = async (path) => {
    const answer = await ask("GET", `http://${platform}${path}`, { Authorization: `Bearer ${token}` });
    assert.equal(answer.status, 200, `${path}: ${answer.status} ${answer.body}`);
    return answer;
  };
  const read = async (path) => JSON.parse((await get(path)).body);

  const instance = await read(`/storage/api/v1/instances/${id}`);
  assert.ok(instance.process.ended, "the process has ended");
  assert.equal(new URL(instance.selfLinks.platform).host, platform);
  const form = instance.data.find((element) => element.dataType === "model");
  const file = instance.data.find((element) => element.filename === name);
  assert.ok(form.locked, "the form is locked");
  const xml = (await get(`/storage/api/v1/instances/${id}/data/${form.id}`)).body.toString();
  assert.match(xml, new RegExp(text));
  assert.deepEqual((await get(`/storage/api/v1/instances/${id}/data/${file.id}`)).body, bytes);
  const history = await read(`/storage/api/v1/instances/${id}/process/history`);
  const steps = (history.processHistory ?? history).map((step) => step.eventType);
  assert.ok(steps.length >= 2, `the history has its steps: ${steps}`);

  const { stack, find } = await logins(program);
  const guid = id.split("/")[1];
  const rows = await sql(stack, "storage", `select instance->'process'->>'ended' is not null
    from storage.instances where alternateid = '${guid}'`);
  assert.deepEqual(rows, ["t"], "the row of the instance says that its process has ended");
  const elements = await sql(stack, "storage", `select count(*) from storage.dataelements e join storage.instances i
    on e.instanceinternalid = i.id where i.alternateid = '${guid}'`);
  assert.deepEqual(elements, [String(instance.data.length)]);
  const events = await sql(stack, "events", `select cloudevent->>'type' from events.events where cloudevent->>'source' like '%${guid}' order by 1`);
  assert.deepEqual(events, ["app.instance.created", "app.instance.process.completed"]);

  const blobs = BlobServiceClient.fromConnectionString(find("azurite").connection);
  let found;
  for await (const container of blobs.listContainers()) {
    const client = blobs.getContainerClient(container.name);
    for await (const blob of client.listBlobsFlat()) {
      if (blob.name.endsWith(file.id)) found = await client.getBlobClient(blob.name).downloadToBuffer();
    }
  }
  assert.deepEqual(found, bytes, "the blob is the file");
}
