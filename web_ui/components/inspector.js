// The history of one stream: a slider over its events, what each changed, all of it as list, timeline and graph of
// causes, live. Of a repository it is the moments at which it came to stand otherwise. What is looked at stands in the address, so that it can be shared and is there after a reload.

const VIEWS = [["list", "Events"], ["timeline", "Timeline"], ["causes", "Causes"]];
const SHOWN_CHANGES = 12;
const SOON = 90; // ms that the slider rests before the point is asked for
const CALM = 1200; // ms between two askings for a picture while events come
const AT_ONCE = 500; // events in one reply

const placed = (name) => new URLSearchParams(location.search).get(name) ?? "";
const place = (values) => {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  if (address.href !== location.href) history.replaceState(history.state, "", address);
};

// As a field for a time takes it, in the viewer's zone.
const localTime = (at) => new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);

const short = (value) => {
  const text = plain(typeof value === "string" ? value : JSON.stringify(value));
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
};

const SIGNS = { added: ["+", "good"], removed: ["−", "bad"], changed: ["→", "warn"] };
const changeRow = (change) => {
  const [sign, tone] = SIGNS[change.kind] ?? ["", ""];
  const value = (kind, said) => el("span", { class: kind }, said === undefined ? "" : short(said));
  return el("li", { class: tone },
    el("span", { class: "sign", title: change.kind }, sign), el("code", {}, plain(change.path.slice(1).replaceAll("/", " / ")) || "all of it"),
    el("span", { class: "values" }, change.kind !== "added" ? value("was", change.before) : null,
      change.kind === "changed" ? el("span", { class: "to" }, " → ") : null, change.kind !== "removed" ? value("is", change.after) : null));
};

// A time as an address has it, which says the same in every zone.
const placeOf = (at) => (Number.isNaN(at) ? "" : new Date(at).toISOString());

// A field for a time in the viewer's zone, with its name before it.
const moment = (name, at, act) => {
  const input = el("input", { type: "datetime-local", step: "1", value: Number.isNaN(at) ? "" : localTime(new Date(at)) });
  input.addEventListener("change", act);
  input.label = el("label", {}, `${name} `, input);
  return input;
};

const momentRow = (one, place) => ({
  version: place + 1, event_type: one.event_type, timestamp: one.at, stream_id: one.stream_id,
  data: { analysis: (one.analysis_id ?? "").slice(0, 8), state: one.state, commit: one.commit },
});

// A moment's time, as exact as it is known, and whose it is: several streams may come to stand otherwise at one time.
const momentName = (row) => `${row.timestamp} ${row.stream_id}`;

// Which of the moments has a name; where it is gone, the last one that was by then.
const placeOfMoment = (rows, name) => {
  const found = rows.findIndex((row) => momentName(row) === name);
  if (found >= 0) return found + 1;
  const by = Date.parse(name.split(" ")[0]);
  return Number.isNaN(by) ? NaN : rows.filter((row) => Date.parse(row.timestamp) <= by).length;
};

const choice = (label, all, act) => {
  const select = el("select", { "aria-label": label }, el("option", { value: "" }, all));
  select.addEventListener("change", act);
  select.offer = (found, chosen) => {
    const names = [...new Set([...found, ...(chosen ? [chosen] : [])])].sort();
    if (names.length + 1 === select.options.length) return;
    select.replaceChildren(el("option", { value: "" }, all), ...names.map((name) => el("option", { value: name }, plain(name))));
    select.value = chosen;
  };
  return select;
};

class Inspector {
  constructor(root) {
    this.events = new Map();
    this.last = 0;
    const at = placed("at");
    this.at = /^\d+$/.test(at) ? Number(at) : NaN;
    this.wanted = Number.isNaN(this.at) ? at : ""; // of moments, which have no numbers of their own
    this.view = VIEWS.some(([name]) => name === placed("view")) ? placed("view") : "list";
    this.chosen = { type: placed("type"), stage: placed("stage"), words: wordsOf(placed("q")), since: Date.parse(placed("since")), until: Date.parse(placed("until")) };
    this.build(root);
  }

  build(root) {
    const button = (title, sign, act) => el("button", { type: "button", "aria-label": title, title, onclick: act }, sign);
    this.slider = el("input", { type: "range", min: "0", step: "1", "aria-label": "Which event is looked at" });
    this.slider.addEventListener("input", () => this.go(this.orNewest(Number(this.slider.value)), SOON));
    this.time = el("input", { type: "datetime-local", step: "1", "aria-label": "Go to a time" });
    this.time.addEventListener("change", () => this.goTo(Date.parse(this.time.value)));
    this.time.addEventListener("blur", () => this.tellTime());
    this.now = button("The newest event", "Newest", () => this.go(NaN));
    this.point = el("div", { class: "point", role: "status" });
    this.changes = el("ul", { class: "changes", tabindex: "0", "aria-label": "What it changed" });
    this.more = el("button", { class: "more", type: "button", onclick: () => this.tellChanges(true) }, "");
    this.why = el("div", { class: "why" });
    this.state = el("pre", { tabindex: "0" });
    this.whole = el("details", { class: "whole" }, el("summary", {}, "The whole state at this point"), this.state);
    this.whole.addEventListener("toggle", () => this.tellState());
    this.list = new EventList((version) => this.go(version));
    const pick = (version) => this.go(version);
    this.pictures = { timeline: timelinePicture(pick), causes: causesPicture(pick) };
    this.table = el("div", { class: "times", tabindex: "0", role: "group", "aria-label": "Times of the stages" });
    this.tabs = VIEWS.map(([name, title]) => el("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, onclick: () => this.turn(name) }, title));
    this.panels = VIEWS.map(([name]) => el("div", { role: "tabpanel", id: `panel-${name}`, "aria-labelledby": `tab-${name}`, class: `panel of-${name}` }));
    this.filter = el("input", { type: "search", placeholder: "Filter: a type, a stage, a word", "aria-label": "Filter events", value: placed("q") });
    const choose = () => this.choose();
    this.filter.addEventListener("input", choose);
    this.types = choice("Type of event", "All types", choose);
    this.stages = choice("Stage", "All stages", choose);
    this.since = moment("Not before", this.chosen.since, choose);
    this.until = moment("Before", this.chosen.until, choose);
    this.total = el("span", { class: "total", role: "status" });
    this.tools = el("div", { class: "tools" }, this.filter, this.types, this.stages, this.since.label, this.until.label, this.total);
    this.panels[0].append(this.tools, this.list.root);
    this.panels[1].append(this.pictures.timeline.root, this.table);
    this.panels[2].append(this.pictures.causes.root);
    const tabs = el("div", { class: "tabs", role: "tablist", "aria-label": "How the events are shown" }, ...this.tabs);
    tabs.addEventListener("keydown", (event) => this.along(event));
    root.append(
      el("div", { class: "travel" }, button("The event before", "‹", () => this.step(-1)), this.slider, button("The next event", "›", () => this.step(1)), this.time, el("span", { class: "zone" }, `in ${ZONE}`), this.now),
      el("section", { class: "look", "aria-label": "The event that is looked at" }, this.point, this.changes, this.more, this.why, this.whole),
      tabs, ...this.panels);
    this.turn(this.view);
  }

  along(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const next = (VIEWS.findIndex(([name]) => name === this.view) + step + VIEWS.length) % VIEWS.length;
    this.turn(VIEWS[next][0]);
    this.tabs[next].focus();
  }

  update(data) {
    this.data = data;
    if (data.moments) this.turn("list");
    this.tabs[0].parentElement.hidden = Boolean(data.moments); // runs and causes are of one stream
    if (!data.moments && !this.source) return void this.load();
    if (!data.moments) return this.follow();
    if (data.loaded !== this.loaded) this.take(data.items); // what was loaded before may be older than what was asked for since
    this.loaded = data.loaded;
    this.follow();
  }

  // The log only grows: what is here is not asked for again, and what is missing at its end is said.
  async load() {
    if (this.loading) return;
    this.loading = "loading…";
    if (this.at > this.last) this.look(this.at); // what is asked for is not kept waiting for all that was before it
    const begun = this.last;
    let missing = "";
    try {
      for (let cursor = ""; cursor !== null;) {
        const page = await this.ask("", { after: begun, limit: AT_ONCE, ...(cursor ? { cursor } : {}) });
        cursor = page.next ?? null;
        this.loading = cursor === null ? "" : `loading, ${amount("events", this.last + page.items.length)} so far…`;
        this.add(page.items);
      }
    } catch (error) {
      missing = `what came after event ${number.format(this.last)} could not be loaded: ${plain(error.message)}`;
    }
    [this.loading, this.missing] = ["", missing];
    if (this.at > this.last && !missing) this.at = NaN; // there is no such event
    this.add([]);
    this.count();
    this.follow();
  }

  // What happens from here on: what is over may be run again.
  follow() {
    const { data } = this;
    if (!this.source && !this.closed) {
      const after = data.moments ? 0 : this.last;
      const grow = () => this.againSoon();
      this.source = listen(`${data.api}/events/live?${new URLSearchParams({ stream_id: data.stream, after })}`, {
        events: data.moments ? { milestone: grow, grown: grow } : { milestone: (event) => this.add([event]) },
        onstate: (state) => { this.connection = state; if (state === "live" && !data.moments) this.missing = ""; this.count(); },
      });
    }
  }

  // An event stays the same for good; the number of a moment changes when one before it goes, its time does not.
  address(version) { return this.data.moments && version > 0 ? momentName(this.events.get(version)) : String(version); }

  // Moments are of several streams: one that is told of late may stand before others, and those of an analysis that is
  // deleted, or is not among the newest any more, go.
  take(moments) {
    const rows = moments.map(momentRow);
    const looked = Number.isNaN(this.at) ? this.wanted : this.events.has(this.at) ? this.address(this.at) : "";
    if (looked) this.at = placeOfMoment(rows, looked);
    this.wanted = "";
    const stands = (known) => { const row = rows[known.version - 1]; return row.timestamp === known.timestamp && row.stream_id === known.stream_id; };
    if (rows.length < this.events.size || ![...this.events.values()].every(stands)) {
      this.events.clear();
      this.last = 0;
    }
    this.add(rows);
  }

  againSoon() {
    this.growing ??= setTimeout(async () => {
      this.growing = null;
      try {
        this.take((await this.ask("moments")).items);
      } catch { /* the next one that is heard of asks again */ }
    }, CALM);
  }

  add(items) {
    let grown = true;
    let fresh = false;
    for (const event of items) {
      if (this.events.has(event.version)) continue;
      grown &&= event.version > this.last;
      this.last = Math.max(this.last, event.version);
      this.events.set(event.version, event);
      fresh = true;
    }
    if (!fresh && this.looked && !(this.at > this.last)) return;
    this.inOrder = [...this.events.values()].sort((a, b) => a.version - b.version);
    this.slider.max = String(this.last);
    this.types.offer(this.inOrder.map((event) => event.event_type), this.chosen.type);
    this.stages.offer(this.inOrder.map(stageOf).filter(Boolean), this.chosen.stage);
    this.show(grown);
    if (!this.loading || this.at <= this.last) this.go(this.at, Number.isNaN(this.at) ? 150 : 0);
    this.drawSoon(this.drawn?.[this.view] ? CALM : 0);
  }

  show(grown) {
    const { type, stage, words, since, until } = this.chosen;
    const all = !type && !stage && !words.length && Number.isNaN(since) && Number.isNaN(until);
    this.list.show(all ? this.inOrder : this.inOrder.filter((event) => matches(event, this.chosen)), grown);
    this.count();
  }

  choose() {
    const [since, until] = [Date.parse(this.since.value), Date.parse(this.until.value)];
    this.chosen = { type: this.types.value, stage: this.stages.value, words: wordsOf(this.filter.value), since, until };
    place({ q: this.filter.value, type: this.chosen.type, stage: this.chosen.stage, since: placeOf(since), until: placeOf(until) });
    this.show(false);
  }

  count() {
    const [shown, all] = [this.list.shown.length, this.events.size];
    const said = [this.connection ? CONNECTION[this.connection] : "", this.loading, this.missing].filter(Boolean);
    const state = said.map((one) => ` · ${one}`).join("");
    this.total.textContent = `${shown < all ? `${number.format(shown)} of ` : ""}${amount(this.data?.moments ? "moments" : "events", all)}${state}`;
  }

  step(by) {
    const here = Number.isNaN(this.at) ? this.last : this.at;
    this.go(this.orNewest(Math.max(0, Math.min(this.last, here + by))));
  }

  // Whoever moves to the end of what goes on stays at its end; who presses an event stays at that one.
  orNewest(version) { return version >= this.last ? NaN : version; }

  // The second that is chosen counts as a whole: what happened in it had happened by then.
  goTo(moment) {
    if (Number.isNaN(moment)) return;
    const by = this.inOrder.filter((event) => Date.parse(event.timestamp) < moment + 1000);
    this.go(by.at(-1)?.version ?? 0);
  }

  // NaN is the newest event, whichever that is by then.
  go(version, rest = 0) {
    this.at = version;
    const here = Number.isNaN(this.at) ? this.last : Math.max(0, Math.min(this.last, this.at));
    this.slider.value = String(here);
    this.slider.setAttribute("aria-valuetext", `event ${here} of ${this.last}`);
    this.now.setAttribute("aria-pressed", String(Number.isNaN(this.at)));
    place({ at: Number.isNaN(this.at) ? "" : this.address(here) });
    this.list.mark(here);
    const event = this.events.get(here);
    for (const picture of Object.values(this.pictures)) picture.mark(event);
    this.head(here, event);
    if (this.looked?.version === here) return this.tellWhy();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.look(here), rest);
  }

  // While a time is typed into the field, each part of it is a time of its own: what is found does not write over it.
  tellTime() {
    const event = this.events.get(Number(this.slider.value));
    if (event && !this.time.matches(":focus")) this.time.value = localTime(new Date(event.timestamp));
  }

  head(here, event) {
    this.tellTime();
    const when = event ? `${day(event.timestamp)} ${clock(event.timestamp)} · ${plain(event.event_type)}${stageOf(event) ? ` · ${plain(stageOf(event))}` : ""}` : this.data?.moments ? "before it was registered" : "before the first event";
    this.point.replaceChildren(el("strong", {}, `${this.data?.moments ? "Moment" : "Event"} ${number.format(here)} of ${number.format(this.last)}`), ` ${when}`);
  }

  async ask(what, more = {}) {
    const asked = new URLSearchParams({ stream_id: this.data.stream, ...more });
    const reply = await fetch(`${this.data.api}/events${what && `/${what}`}?${asked}`, { headers: { accept: "application/json" } });
    const told = await reply.json();
    if (!reply.ok) throw new Error(told.detail ?? told.title ?? reply.statusText);
    return told;
  }

  // A point, as it is asked for: moments are times, events have their versions.
  where(version, what = "at") {
    if (!this.data.moments) return { version: String(version) };
    const first = Date.parse(this.events.get(1).timestamp);
    return { [what]: this.events.get(version)?.timestamp ?? new Date(first - 1000).toISOString() };
  }

  async look(version) {
    this.asked = version;
    try {
      const beside = this.data.moments ? this.where(Math.max(0, version - 1), "against_at") : {};
      const found = await this.ask("state", { ...this.where(version), ...beside, with_state: "false" });
      if (this.asked !== version) return; // somebody went on
      this.looked = { ...found, version };
      this.tellChanges(false);
      this.tellWhy();
      if (this.whole.open) this.tellState();
    } catch (error) {
      if (this.asked === version) this.changes.replaceChildren(el("li", { class: "bad" }, `This point cannot be shown: ${plain(error.message)}`));
    }
  }

  tellChanges(all) {
    const { changes, changes_left_out: left } = this.looked;
    const shown = all ? changes : changes.slice(0, SHOWN_CHANGES);
    this.changes.replaceChildren(...shown.map(changeRow));
    if (!changes.length) this.changes.append(el("li", { class: "nothing" }, this.looked.version ? "Nothing that is shown was changed by it." : "Nothing is there yet."));
    if (all && left) this.changes.append(el("li", { class: "nothing" }, `… and ${number.format(left)} more`));
    this.more.hidden = shown.length === changes.length;
    this.more.textContent = `All ${number.format(changes.length + left)} changes`;
  }

  // By what it was caused and what it led to, as places to go to.
  tellWhy() {
    const event = this.events.get(this.looked?.version);
    this.why.replaceChildren();
    if (!event || this.data.moments) return;
    const link = (one) => el("button", { class: "chip", type: "button", onclick: () => this.go(one.version) }, `${one.version} ${plain(one.event_type.split(".").slice(-2).join(" "))} ${plain(stageOf(one))}`.trim());
    const cause = this.inOrder.find((one) => one.event_id === event.causation_id);
    const effects = this.inOrder.filter((one) => one.causation_id === event.event_id);
    if (cause) this.why.append(el("span", {}, "Because of "), link(cause));
    else this.why.append(event.causation_id ? this.fromElsewhere(event) : el("span", {}, "Asked for from outside"));
    if (effects.length) this.why.append(el("span", {}, " · led to "), ...effects.slice(0, 6).map(link));
    if (effects.length > 6) this.why.append(el("span", {}, ` and ${number.format(effects.length - 6)} more`));
    if (event.version === 1) this.why.append(this.toElsewhere(event));
    const edit = new URLSearchParams({ analysis: this.data.analysis_id, stream: this.data.stream, at: String(event.version) });
    this.why.append(" ", el("a", { class: "fork", href: `/fork?${edit}` }, "Edit this event and go on from here in a sandbox"));
    if (event.erased?.length) this.why.append(el("span", {}, ` · erased for good: ${plain(event.erased.join(", "))}`));
  }

  // A link to an event of another stream.
  elsewhere(one) {
    const [kind, id] = one.stream_id.split("/");
    const place = new URLSearchParams({ analysis: kind === "analysis" ? id : this.data.analysis_id, stream: one.stream_id, at: String(one.version) });
    return el("a", { class: "elsewhere", href: `/events?${place}` }, `${one.version} ${plain(one.event_type.split(".").slice(-2).join(" "))} of ${plain(one.stream_id)}`);
  }

  // What is known of an event in other streams, once it is; asked for once as far as the history goes.
  outside(event) {
    if (!(event.version <= this.askedOutside?.until)) this.askedOutside = { until: this.last, told: this.ask("causes").catch(() => ({ items: [] })) };
    return this.askedOutside.told.then(({ items }) => items.find((item) => item.version === event.version));
  }

  // An event of another stream led to it.
  fromElsewhere(event) {
    const told = el("span", {}, "Because of an event in another stream");
    this.outside(event).then((item) => item?.elsewhere && told.replaceChildren("Because of ", this.elsewhere(item.elsewhere)));
    return told;
  }

  // What it led to in other streams: what begins one is what others are begun by.
  toElsewhere(event) {
    const told = el("span", {});
    this.outside(event).then((item) => {
      for (const one of item?.led_to ?? []) told.append(" · led to ", this.elsewhere(one));
    });
    return told;
  }

  async tellState() {
    if (!this.whole.open || !this.looked) return;
    const version = this.looked.version;
    const found = await this.ask("state", this.where(version)).catch((error) => ({ state: plain(error.message) }));
    if (this.looked.version === version) this.state.textContent = plain(JSON.stringify(found.state, null, 2));
  }

  turn(view) {
    this.view = view;
    place({ view: view === "list" ? "" : view });
    VIEWS.forEach(([name], n) => {
      this.tabs[n].setAttribute("aria-selected", String(name === view));
      this.tabs[n].tabIndex = name === view ? 0 : -1;
      this.panels[n].hidden = name !== view;
    });
    this.drawSoon(0);
  }

  drawSoon(rest = CALM) {
    if (this.view === "list" || !this.data || (this.drawing && rest)) return;
    clearTimeout(this.drawing);
    this.drawing = setTimeout(() => this.draw(), rest);
  }

  async draw() {
    this.drawing = 0;
    const view = this.view;
    if (view === "list" || this.drawn?.[view] === this.last) return;
    const version = this.last;
    try {
      const told = await this.ask(view);
      this.drawn = { ...this.drawn, [view]: version };
      this.pictures[view].take(told);
      this.pictures[view].mark(this.events.get(Number(this.slider.value)));
      if (view === "timeline") this.tellTimes(told);
    } catch (error) {
      setText(this.pictures[view].say, `This cannot be drawn: ${plain(error.message)}`);
    }
  }

  tellTimes({ stages }) {
    const row = (tag, cells) => el("tr", {}, ...cells.map((cell) => el(tag, {}, cell)));
    const cells = (one) => [plain(one.stage), number.format(one.runs), seconds(one.waited) || "0 s", seconds(one.longest_wait) || "0 s", seconds(one.worked) || "0 s", seconds(one.longest_run) || "0 s"];
    const head = row("th", ["stage", "runs", "waited, all", "longest wait", "worked, all", "longest run"]);
    if (stages.length) this.table.replaceChildren(el("table", {}, el("thead", {}, head), el("tbody", {}, ...stages.map((one) => row("td", cells(one))))));
    else this.table.replaceChildren(el("p", { class: "nothing" }, "This stream has no runs."));
  }

  close() {
    this.closed = true;
    this.source?.close();
    clearTimeout(this.resting);
    clearTimeout(this.drawing);
    for (const picture of Object.values(this.pictures)) picture.close();
  }
}

const inspectors = new WeakMap();

export default function (component) {
  const { data, parentElement } = component;
  if (!inspectors.has(parentElement)) inspectors.set(parentElement, new Inspector(parentElement));
  inspectors.get(parentElement).update(data);
  return () => {
    inspectors.get(parentElement)?.close();
    inspectors.delete(parentElement);
  };
}
