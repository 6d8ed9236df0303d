// The events of one analysis in their order; new ones are added as they happen.

const PAGE = 300; // rows drawn at once; a long history is drawn as it is scrolled to

const clock = (iso) => {
  const at = new Date(iso);
  const two = (value, width = 2) => String(value).padStart(width, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;
};

const summaryOf = (data) => {
  const told = [];
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
  return plain(told.join(" · "));
};

const toneOf = (type) => (/failed|parked/.test(type) ? "bad" : /retry|cancel/.test(type) ? "warn" : /completed|activated|refined/.test(type) ? "good" : "");

const rowOf = (event) => {
  const payload = el("pre", { tabindex: "0" });
  const row = el("details", { class: `event ${toneOf(event.event_type)}`, "data-version": event.version },
    el("summary", {},
      el("span", { class: "version" }, String(event.version)),
      el("time", { datetime: event.timestamp, title: event.timestamp }, clock(event.timestamp)),
      el("span", { class: "type" }, plain(event.event_type)),
      el("span", { class: "stage" }, plain(event.stage ?? event.data?.stage ?? "")),
      el("span", { class: "told" }, summaryOf(event.data ?? {}))),
    payload);
  row.addEventListener("toggle", () => {
    if (row.open && !payload.textContent) payload.textContent = plain(JSON.stringify(event, null, 2));
  });
  return row;
};

const matches = (event, words) => {
  const text = `${event.event_type} ${event.stage ?? ""} ${summaryOf(event.data ?? {})}`.toLowerCase();
  return words.every((word) => text.includes(word));
};

class EventList {
  constructor(root) {
    this.events = new Map();
    this.drawn = 0;
    this.words = [];
    this.filter = el("input", { type: "search", placeholder: "Filter: a type, a stage, a word", "aria-label": "Filter events" });
    this.filter.addEventListener("input", () => {
      this.words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      this.redraw();
    });
    this.total = el("span", { class: "total", role: "status" });
    this.list = el("div", { class: "list" });
    this.more = el("button", { class: "more", type: "button", onclick: () => this.draw(PAGE) }, "Show more");
    root.append(el("div", { class: "tools" }, this.filter, this.total), this.list, this.more);
  }

  update(data) {
    this.data = data;
    this.add(data.items);
    if (data.live && !this.stream) {
      this.stream = listen(`${data.api}/analyses/${data.analysis_id}/events`, {
        events: { milestone: (event) => this.add([event]) }, onstate: (state) => { this.connection = state; this.count(); },
      });
    }
    if (!data.live && this.stream) {
      this.stream.close();
      this.stream = null;
      this.connection = "";
      this.count();
    }
  }

  add(items) {
    let last = this.last ?? 0;
    let inOrder = true;
    let grown = false;
    for (const event of items) {
      if (this.events.has(event.version)) continue;
      inOrder &&= event.version > last;
      last = Math.max(last, event.version);
      this.events.set(event.version, event);
      grown = true;
    }
    this.last = last;
    if (!grown && this.drawn) return;
    if (inOrder) this.draw(Math.max(0, PAGE - this.drawn) || (this.more.hidden ? items.length : 0));
    else this.redraw();
  }

  shown() {
    return [...this.events.values()].sort((a, b) => a.version - b.version).filter((event) => matches(event, this.words));
  }

  redraw() {
    this.list.replaceChildren();
    this.drawn = 0;
    this.draw(PAGE);
  }

  draw(count) {
    const shown = this.shown();
    this.list.append(...shown.slice(this.drawn, this.drawn + count).map(rowOf));
    this.drawn = Math.min(shown.length, this.drawn + count);
    this.more.hidden = this.drawn >= shown.length;
    this.count(shown.length);
  }

  count(shown = this.shown().length) {
    const all = number.format(this.events.size);
    const state = { live: " · live", lost: " · reconnecting…" }[this.connection] ?? "";
    this.total.textContent = `${this.words.length ? `${number.format(shown)} of ${all}` : all} events${state}`;
  }

  close() { this.stream?.close(); }
}

const lists = new WeakMap();

export default function (component) {
  const { data, parentElement } = component;
  if (!lists.has(parentElement)) lists.set(parentElement, new EventList(parentElement));
  lists.get(parentElement).update(data);
  return () => {
    lists.get(parentElement)?.close();
    lists.delete(parentElement);
  };
}
