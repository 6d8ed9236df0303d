// The events of one stream in their order, drawn in pieces; which are shown, and which one is looked at, it is told.

const PAGE = 300; // rows drawn at once; a long history is drawn as it is scrolled to

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone; // the viewer's, of all times that are shown

const two = (value, width = 2) => String(value).padStart(width, "0");

const clock = (iso) => {
  const at = new Date(iso);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;
};

const day = (iso) => {
  const at = new Date(iso);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
};

const summaryOf = (data) => {
  const told = [];
  if (data.analysis) told.push(`analysis ${data.analysis}`);
  if (data.state) told.push(data.state);
  if (data.shards > 1) told.push(`shard ${data.shard + 1} of ${data.shards}`);
  if (data.attempt > 1) told.push(`try ${data.attempt}`);
  if (data.code) told.push(`${data.code}: ${data.message ?? ""}`);
  if (data.commit) told.push(`commit ${String(data.commit).slice(0, 10)}`);
  if (data.file_count !== undefined) told.push(amount("files", data.file_count));
  if (data.files_processed && data.counts?.files === undefined) told.push(amount("files", data.files_processed));
  for (const [name, count] of Object.entries(data.counts ?? {}).slice(0, 4)) told.push(amount(name, count));
  if (data.chunks !== undefined) told.push(amount("chunks", data.chunks));
  if (data.kind && data.generation_id) told.push(data.kind);
  if (data.duration) told.push(seconds(data.duration));
  if (data.worker) told.push(data.worker);
  if (data.url && !data.stage) told.push(data.url);
  return told.map((one) => apart(plain(one))).join(" · ");
};

const toneOf = (type) => (/failed|parked/.test(type) ? "bad" : /retry|cancel/.test(type) ? "warn" : /completed|activated|refined/.test(type) ? "good" : "");

// Its day is said where it is another one than that of the row before.
const rowOf = (event, before, look) => {
  const dated = before && day(before.timestamp) === day(event.timestamp) ? "" : `${day(event.timestamp)} `;
  const payload = el("pre", { tabindex: "0" });
  const row = el("details", { class: `event ${toneOf(event.event_type)}`, "data-version": event.version },
    el("summary", {},
      el("span", { class: "version" }, String(event.version)),
      el("time", { datetime: event.timestamp, title: event.timestamp }, `${dated}${clock(event.timestamp)}`),
      el("span", { class: "type" }, plain(event.event_type)),
      el("span", { class: "stage" }, plain(stageOf(event))),
      el("span", { class: "told" }, summaryOf(event.data ?? {}))),
    payload);
  row.querySelector("summary").addEventListener("click", () => look(event.version));
  row.addEventListener("toggle", () => {
    if (row.open && !payload.textContent) payload.textContent = plain(JSON.stringify(event, null, 2));
  });
  return row;
};

const stageOf = (event) => event.stage ?? event.data?.stage ?? "";

// As the API chooses (events/replay/choosing.py): all words in type, stage or data; `since` counts, `until` does not.
const matches = (event, chosen) => {
  if (chosen.type && event.event_type !== chosen.type) return false;
  if (chosen.stage && stageOf(event) !== chosen.stage) return false;
  const at = Date.parse(event.timestamp);
  if (at < chosen.since || at >= chosen.until) return false; // what is not chosen is NaN
  if (!chosen.words.length) return true;
  const text = `${event.event_type} ${stageOf(event)} ${JSON.stringify(event.data ?? {})}`.toLowerCase();
  return chosen.words.every((word) => text.includes(word));
};

const wordsOf = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

class EventList {
  constructor(look) {
    this.look = look;
    this.drawn = 0;
    this.rows = new Map();
    this.list = el("div", { class: "list" });
    this.nothing = el("p", { class: "nothing" }, "No event is like that.");
    this.more = el("button", { class: "more", type: "button", onclick: () => this.draw(PAGE) }, "Show more");
    this.root = el("div", {}, this.list, this.nothing, this.more);
    this.shown = [];
  }

  // `shown` are the events that are wanted, in their order; what is drawn of them stays where it only grew at its end.
  show(shown, grown) {
    this.shown = shown;
    if (!grown) {
      this.list.replaceChildren();
      this.rows.clear();
      this.drawn = 0;
    }
    this.draw(Math.max(0, PAGE - this.drawn) || (this.more.hidden ? shown.length : 0));
  }

  draw(count) {
    const until = Math.min(this.shown.length, this.drawn + count);
    for (; this.drawn < until; this.drawn += 1) {
      const event = this.shown[this.drawn];
      const row = rowOf(event, this.shown[this.drawn - 1], this.look);
      this.rows.set(event.version, row);
      this.list.append(row);
    }
    this.more.hidden = this.drawn >= this.shown.length;
    this.nothing.hidden = this.shown.length > 0;
    this.mark(this.at);
  }

  // Which event is looked at: it stands out, and those after it step back.
  mark(at) {
    this.at = at;
    for (const [version, row] of this.rows) {
      row.classList.toggle("here", version === at);
      row.classList.toggle("later", at !== undefined && version > at);
    }
  }
}
