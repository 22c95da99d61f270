// Azurite acknowledges a write up to five seconds before its list of blobs is on disk, and forgets what came last when it
// is killed. Loaded before it, this holds each answer to a change back until a save that began after the change is done.
// Changes that come meanwhile share the next save.
const { ServerResponse } = require("node:http");

/** The databases in which Azurite keeps its lists: each is saved when it is opened. lokijs' own API, as Azurite 3 uses it. */
const databases = new Set();
try {
  const Loki = require("/opt/azurite/node_modules/lokijs");
  const saveDatabase = Loki.prototype.saveDatabase;
  Loki.prototype.saveDatabase = function (...given) {
    databases.add(this);
    return saveDatabase.apply(this, given);
  };
} catch (error) {
  console.error(`Writes are not held back until they are on disk: ${error.message}`);
}

const save = (database) =>
  new Promise((done, failed) => database.saveDatabase((error) => (error ? failed(error) : done())));
// One that has no changes may be in the middle of a save that has them.
const saveAll = () => Promise.all([...databases].map(save));

let current = Promise.resolve();
let next;
function saved() {
  next ??= current
    .catch(() => {})
    .then(() => {
      current = next;
      next = undefined;
      return saveAll();
    });
  return next;
}

const end = ServerResponse.prototype.end;
const CHANGES = ["PUT", "POST", "PATCH", "DELETE"];
ServerResponse.prototype.end = function (...given) {
  if (this.held || this.statusCode >= 400 || !CHANGES.includes(this.req?.method)) return end.apply(this, given);
  this.held = true;
  // Whoever gets no answer asks again; one that says "written" must be true.
  saved().then(() => end.apply(this, given), () => this.destroy());
  return this;
};
