// Changes on their way to the server: kept in the browser until the server has answered, sent in their
// order, and sent again while there is no network. All tabs share them. They belong to one person, and
// nothing of another's is ever sent.

const STORE = "tastemap changes";
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 60000;
const TIMEOUT_MS = 15000;
// Statuses after which it is worth sending the same again; also all from 500 on.
const LATER = new Set([401, 407, 408, 425, 429]);

// Without locks (not over https) two tabs may send the same, which does no harm.
const alone = async (work) => (navigator.locks ? navigator.locks.request(STORE, work) : work());

export class Queue {
  // `person` is who they belong to, `csrf` the token of their forms on this page. `told(kind, change, answer, isOther)` hears of changes
  // that are "waiting", "kept" or "refused", also in other tabs; that some are "lost", since the server
  // knows the person no more; and that another tab is that of another "person".
  constructor(person, csrf, told) {
    this.person = person;
    this.csrf = csrf;
    this.told = told;
    this.spare = []; // where the browser keeps nothing: as long as the page
    this.tries = 0;
    try {
      this.channel = new BroadcastChannel(STORE);
      this.channel.onmessage = ({ data }) => this.hear(data);
    } catch { /* a browser without: tabs agree when they are loaded */ }
    addEventListener("online", () => this.drain());
    addEventListener("pageshow", (event) => { if (event.persisted) this.drain(); });
  }

  // What another person has left here is dropped; how much that was.
  claim() {
    const { person, changes } = this.read();
    if (person === this.person) return 0;
    this.write([]);
    this.channel?.postMessage({ kind: "person", person: this.person });
    return changes.length;
  }

  get changes() {
    const { person, changes } = this.read();
    return person === this.person ? changes : [];
  }

  // The last change of an item that has not been kept yet, or undefined.
  of(item) { return this.changes.findLast((change) => change.item === item && "mark" in change); }

  // A change: the fields of a form, and of a mark the item with what it was before. A mark that has not
  // been sent makes way for the next of its item: `before` is then what the server has, and `previous`
  // what was shown.
  add(change) {
    const { changes } = this;
    const added = { ...change, previous: change.before, id: `${Date.now()}-${Math.random().toString(36).slice(2)}`, time: Date.now() };
    const at = "mark" in change ? changes.findIndex((other) => other.item === change.item && "mark" in other && !other.tried) : -1;
    if (at >= 0) added.before = changes.splice(at, 1)[0].before;
    const isBack = at >= 0 && added.mark === added.before;
    if (!isBack) changes.push(added);
    this.write(changes);
    this.tell(isBack ? "kept" : "waiting", added);
    if (!isBack) this.drain();
    return added.id;
  }

  // What waits is gone, and nothing is on its way any more.
  async forget() {
    this.isOver = true;
    this.write([]);
    await alone(() => this.write([]));
  }

  // Send what waits, one after the other, one tab at a time.
  async drain() {
    clearTimeout(this.retry);
    if (this.isOver || this.isSending) {
      this.isAsked = true;
      return;
    }
    this.isSending = true;
    this.isAsked = false;
    await alone(() => this.sendAll());
    this.isSending = false;
    if (this.isAsked) this.drain();
  }

  async sendAll() {
    for (let [change] = this.changes; change && !this.isOver; [change] = this.changes) {
      const answer = await this.send(change);
      if (answer.later) {
        this.tell("waiting", change, answer);
        this.retry = setTimeout(() => this.drain(), answer.wait ?? Math.min(FIRST_WAIT_MS * 2 ** this.tries, MAX_WAIT_MS));
        this.tries += 1;
        return;
      }
      this.tries = 0;
      if (answer.stranger) {
        const lost = this.changes;
        this.write([]);
        this.told("lost", lost);
        return;
      }
      this.write(this.changes.filter((other) => other.id !== change.id));
      this.tell(answer.ok ? "kept" : "refused", change, answer);
    }
  }

  async send(change) {
    if (!navigator.onLine) return { later: true };
    this.write(this.changes.map((other) => (other.id === change.id ? { ...other, tried: true } : other)));
    const age = (Date.now() - change.time) / 1000;
    const body = new URLSearchParams({ age: String(age), ...change.fields, csrf: this.csrf });
    try {
      const options = { method: "POST", body, keepalive: true, signal: AbortSignal.timeout(TIMEOUT_MS), headers: { Accept: "application/json" } };
      const response = await fetch("/marks", options);
      const wait = Number(response.headers.get("Retry-After")) * 1000;
      if (response.status >= 500 || LATER.has(response.status)) return { later: true, wait: wait || undefined };
      const answer = await response.json();
      if (response.ok) return { ok: true, ...answer };
      return { ok: false, stranger: answer.error.code === "wrong_token", message: answer.error.message };
    } catch {
      return { later: true }; // no network, or an answer that is none of the server's
    }
  }

  tell(kind, change, answer) {
    this.told(kind, change, answer);
    this.channel?.postMessage({ kind, change, answer, person: this.person });
  }

  hear({ kind, change, answer, person }) {
    if (kind === "person" ? person !== this.person : person === this.person) this.told(kind, change, answer, true);
  }

  read() {
    let stored = null;
    try {
      stored = this.isSpare ? null : JSON.parse(localStorage.getItem(STORE));
    } catch { /* not readable: what is kept here, then */ }
    const { person, changes } = stored ?? { person: this.person, changes: this.spare };
    return { person, changes: Array.isArray(changes) ? changes.filter((change) => change?.fields) : [] };
  }

  write(changes) {
    this.spare = changes;
    try {
      localStorage.setItem(STORE, JSON.stringify({ person: this.person, changes }));
      this.isSpare = false;
    } catch {
      this.isSpare = true; // full or forbidden
    }
  }
}
