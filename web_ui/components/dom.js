// Small helpers that every component begins with. Text only ever becomes text: nothing here reads markup.

const el = (tag, properties = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name === "class") node.className = value;
    else if (name === "onclick") node.addEventListener("click", value);
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

const setText = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
  node.hidden = text === "";
};

const setClass = (node, name) => {
  if (node.className !== name) node.className = name;
};

// A file's or a person's words without characters that hide or reorder others.
const plain = (text) => String(text ?? "").replace(/[\p{Cf}\p{Cc}]/gu, (c) => (c === "\n" || c === "\t" ? c : ""));

// One of several facts on a line: words of a script that runs from right to left stay in their place among the others.
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;
const apart = (text) => (RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text);

// What the API says in the text of a refusal, or what is said otherwise.
const refusalOf = (text, otherwise) => {
  try {
    const problem = JSON.parse(text);
    return `${plain(problem.title)}. ${plain(problem.detail)} (${plain(problem.code)})`;
  } catch {
    return otherwise;
  }
};

const number = new Intl.NumberFormat("en-US");

// One count of a stage as people say it: `1 symbol`, `2,734 skipped`, `26.4 MB`, `3 without a grammar`.
const TOLD = { no_grammar: "without a grammar", syntax_errors: "with syntax errors", empty: "empty" };
const amount = (key, count) => {
  const name = key.slice(key.lastIndexOf(".") + 1);
  if (name === "bytes") return count < 1e3 ? `${count} B` : count < 1e6 ? `${Math.round(count / 1e3)} KB` : `${(count / 1e6).toFixed(1)} MB`;
  const noun = TOLD[name] ?? plain(name).replaceAll("_", " ");
  return `${number.format(count)} ${count === 1 && !TOLD[name] ? noun.replace(/ies$/, "y").replace(/s$/, "") : noun}`;
};

const seconds = (value) => {
  if (!Number.isFinite(value) || value < 0) return "";
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 60) return `${Math.round(value)} s`;
  const minutes = Math.floor(value / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(value % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

// Whether a person has just acted, or the page is being drawn: a component that asked for another drawing now would
// name the page that the person is about to leave, and take the click back.
const ACTING = 1000; // ms between a press and the page's answer to it
let pressed = 0;
for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { pressed = Date.now(); }, { capture: true, passive: true });
const busy = () => {
  const script = document.querySelector("[data-test-script-state]")?.dataset.testScriptState ?? "notRunning";
  return Date.now() - pressed < ACTING || script !== "notRunning";
};

// Asks for the page to be drawn again until it shows what was heard: an asking that comes while a person acts, or while
// the page is being drawn, would be lost. `wanted` tells whether it still does not; `pause` (ms) is after so many tries.
const askingAgain = ({ wanted, ask, most = 20, pause = (tries) => 500 * tries }) => {
  let tries = 0;
  let timer = null;
  let over = false;
  const go = () => {
    timer = null;
    if (over || !wanted() || tries >= most) return;
    const acting = busy();
    if (!acting) ask((tries += 1));
    timer = setTimeout(go, acting ? 200 : pause(tries));
  };
  return {
    tell: () => { if (timer === null) go(); },
    anew: () => { clearTimeout(timer); tries = 0; go(); },
    stop: () => { over = true; clearTimeout(timer); },
  };
};

// What a person reads of the connection.
const CONNECTION = { connecting: "connecting…", live: "live", lost: "connection lost, reconnecting…", over: "signed out: load the page to sign in again", barred: "not allowed any more: load the page again", gone: "not there any more: load the page again" };
const ENDS = { 401: "over", 403: "barred", 404: "gone" };
const ASKING = 5000; // ms
const ASKED = 4; // tries of which one is asked about, for each asking counts against the limits too

// A browser keeps six connections to a host, in all of its tabs together: one that nobody looks at gives its own back.
const UNSEEN = 15000; // ms

// Follows a stream of server-sent events. The browser resumes a short break by itself with Last-Event-ID; where it
// gives up (an error reply) or nothing at all is heard for `silence` ms, a new stream is opened from the beginning.
// An EventSource does not tell why it was refused, so that is asked now and then: where a session, or a right, is over it
// stays closed, since each try would count as a failed sign-in of this address.
const listen = (url, { events, onstate, silence = 20000 }) => {
  let source = null;
  let timer = null;
  let tries = 0;
  let heard = Date.now();
  let closed = false;
  let asleep = false;
  let unseen = null;

  const reopen = (delay = 0) => {
    if (source) source.close();
    source = null;
    clearTimeout(timer);
    if (!closed && !asleep) timer = setTimeout(open, delay);
  };
  const later = () => {
    tries += 1;
    reopen(Math.min(8000, 500 * 2 ** Math.min(tries, 4)) * (0.75 + Math.random() / 2));
  };
  const seen = () => {
    clearTimeout(unseen);
    const rest = () => { asleep = true; reopen(); onstate("connecting"); };
    if (document.hidden) unseen = setTimeout(rest, UNSEEN);
    else if (asleep) {
      asleep = false;
      reopen();
    }
  };
  const end = () => {
    closed = true;
    document.removeEventListener("visibilitychange", seen);
    clearTimeout(unseen);
    clearInterval(watch);
    clearTimeout(timer);
    if (source) source.close();
  };
  const status = async () => {
    const asking = new AbortController();
    const late = setTimeout(() => asking.abort(), ASKING);
    const said = await fetch(url, { headers: { Accept: "text/event-stream" }, signal: asking.signal }).then((reply) => reply.status, () => 0);
    clearTimeout(late);
    asking.abort(); // it may be the stream by now
    return said;
  };
  const refused = async () => {
    source = null; // nothing is to be heard of it
    const over = tries % ASKED === 0 ? ENDS[await status()] : undefined;
    if (closed) return;
    if (!over) return later();
    end();
    onstate(over);
  };
  const open = () => {
    if (closed) return;
    heard = Date.now();
    const opened = new EventSource(url);
    let fresh = true; // a new stream begins at the beginning; one that the browser resumed does not
    source = opened;
    opened.onopen = () => {
      heard = Date.now();
      tries = 0;
      onstate("live", fresh);
      fresh = false;
    };
    opened.onerror = () => {
      onstate("lost");
      if (opened.readyState === EventSource.CLOSED && opened === source) refused();
    };
    opened.addEventListener("heartbeat", () => { heard = Date.now(); });
    opened.addEventListener("resync", () => reopen(100 + Math.random() * 400));
    for (const [name, handle] of Object.entries(events)) {
      opened.addEventListener(name, (event) => {
        heard = Date.now();
        handle(JSON.parse(event.data), event);
      });
    }
  };
  const watch = setInterval(() => {
    if (source && Date.now() - heard > silence) {
      onstate("lost");
      later();
    }
  }, 1000);
  document.addEventListener("visibilitychange", seen);
  seen();
  open();
  return {
    restart: () => reopen(50),
    close: end,
  };
};
