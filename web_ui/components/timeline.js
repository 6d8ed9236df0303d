// The stages of one analysis, live. Draws from the API's snapshot at once, then from the events themselves.

const STAGES = [
  ["clone", "Clone"], ["metadata", "Read metadata"], ["structure", "Map structure"], ["history", "Read history"], ["parse", "Parse sources"],
  ["index", "Index words"], ["embed", "Embed, quick"], ["activate", "Activate"], ["link", "Link calls"], ["refine", "Embed, full"], ["promote", "Promote"],
];
const REACHED = { index: ["answerable", "Questions can be asked"], activate: ["ready", "Ready"], promote: ["refined", "Complete"] };
const ORDER = ["requested", "running", "answerable", "ready", "refined"];
const WORDS = {
  waiting: "waiting", queued: "queued", running: "running", retrying: "will try again", completed: "done",
  failed: "failed", parked: "set aside", cancelled: "cancelled",
};
const HEADLINES = {
  requested: "Waiting to start", running: "Analysing", unconfirmed: "Waiting to be confirmed", answerable: "Analysing: questions can be asked", ready: "Ready: refining in the background",
  refined: "Complete", failed: "Failed", cancelled: "Cancelled",
};
const SHOWN_COUNTS = ["files", "symbols", "edges", "chunks", "vectors", "skipped", "failed"];

const newRow = (name, title) => {
  const part = (tag, kind) => el(tag, { class: kind });
  const row = {
    name, dot: part("span", "dot"), state: part("span", "word"), counts: part("span", "counts"), time: part("span", "time"),
    bar: part("div", "bar"), fill: part("div", "fill"), percent: part("span", "percent"), detail: part("div", "detail"), work: part("ul", "work"), note: part("div", "note"),
  };
  row.bar.append(row.fill);
  row.bar.setAttribute("role", "progressbar");
  row.bar.setAttribute("aria-label", title);
  row.root = el("li", { class: "row", "data-stage": name },
    row.dot,
    el("div", { class: "body" },
      el("div", { class: "line" }, el("span", { class: "title" }, title), row.state, row.counts, row.percent, row.time),
      row.bar, row.detail, row.work, row.note));
  return row;
};

const newMark = (text) => el("li", { class: "mark" }, el("span", {}, text));

const SHOWN_SHARDS = 4; // lines of shards at work
const KEPT = 5000; // ms: an older tick is one that was kept for us

// How much of its work a run has done, 0 to 1: by the size of what is done where its worker says that.
const shareOf = (tick) => Math.min(1, tick.share ?? (tick.total > 0 ? tick.done / tick.total : 0));
const sum = (values) => values.reduce((whole, value) => whole + value, 0);

const WAITING = { state: "waiting", counts: {}, attempt: 1, shards: 0, shards_done: 0 };

// In which earlier stage's count, by the unit of a stage's own ticks, all of its work stands.
const WHOLES = { parse: ["clone", "files"], embed: ["parse", "chunks"], refine: ["parse", "chunks"] };

// Which part of a stage its ended shards are, and each of those at work: by their sizes, where all of these are known,
// for one shard may be a hundred times as large as another.
const partsOf = (name, views, ticks) => {
  const view = views.get(name);
  const [earlier, unit] = WHOLES[name] ?? [];
  const whole = views.get(earlier)?.state === "completed" ? views.get(earlier).counts[unit] ?? 0 : 0;
  const ended = (view.ended ?? view.counts)[unit] ?? 0;
  const isSized = ended + sum(ticks.map((tick) => tick.total ?? 0)) <= whole && ticks.every((tick) => tick.total > 0) && (ended > 0 || !view.shards_done);
  return isSized && whole > 0 ? { ended: ended / whole, of: (tick) => tick.total / whole } : { ended: view.shards_done / view.shards, of: () => 1 / view.shards };
};

const progressOf = (view, parts, ticks) => {
  if (view.state === "completed") return 1;
  if (!view.shards || (view.shards === 1 && !ticks.some((tick) => tick.total > 0))) return null;
  return Math.min(1, parts.ended + sum(ticks.map((tick) => parts.of(tick) * shareOf(tick))));
};

// What the shards at work do together; those that measured nothing yet (null) are taken for the mean of the others.
const together = (paces) => {
  const told = paces.filter((pace) => pace !== null);
  return told.length ? (sum(told) * paces.length) / told.length : 0;
};
const unitPace = (tick) => (tick.silent ? 0 : tick.rate ?? null);
const workPace = (parts) => (tick) => (tick.silent || tick.rate === 0 ? 0 : tick.left > 0 ? (parts.of(tick) * (1 - shareOf(tick))) / tick.left : null);

const perSecond = (rate, unit) => `${number.format(rate >= 10 ? Math.round(rate) : Math.round(rate * 10) / 10)} ${plain(unit)}/s`;

const rateOf = (open) => {
  const rate = together(open.map(unitPace));
  return rate ? perSecond(rate, open.find((tick) => tick.rate > 0).unit) : "";
};

// A time to wait, no more exact than it is known.
const roughly = (left) => {
  if (left < 90) return `${Math.max(5, 5 * Math.round(left / 5))} s`;
  const minutes = Math.round(left / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
};

// How long the stage takes still, at the pace that its workers measure; nothing where they cannot tell.
const leftOf = (parts, progress, open) => {
  const pace = together(open.map(workPace(parts)));
  return pace && progress !== null ? `about ${roughly((1 - progress) / pace)} left` : "";
};

const countedOf = (tick) => {
  if (!tick.unit || !(tick.done || tick.total)) return "";
  return tick.total ? `${number.format(tick.done)} of ${amount(tick.unit, tick.total)}` : amount(tick.unit, tick.done);
};

// Each shard at work: where it is, how far, how quickly, and whether it has fallen silent.
const workOf = (view, ticks) => {
  const several = view.shards > 1;
  const line = (tick) => {
    const pace = tick.silent ? `nothing heard for ${seconds(tick.silent)}` : several && tick.rate > 0 ? perSecond(tick.rate, tick.unit) : "";
    return [several ? `shard ${tick.shard + 1}` : "", countedOf(tick), pace, apart(plain(tick.current))].filter(Boolean).join(" · ");
  };
  const lines = ticks.map(line);
  return lines.length > SHOWN_SHARDS ? [...lines.slice(0, SHOWN_SHARDS - 1), `and ${lines.length - SHOWN_SHARDS + 1} shards more`] : lines;
};

const countsOf = (view) => {
  const counts = { ...view.counts };
  if (view.files_processed && counts.files === undefined) counts.files = view.files_processed;
  const names = [...SHOWN_COUNTS.filter((key) => counts[key]), ...Object.keys(counts).filter((key) => counts[key] && !SHOWN_COUNTS.includes(key))];
  return names.slice(0, 3).map((key) => amount(key, counts[key])).join(" · ");
};

const noteOf = (view, silent, current, now) => {
  if (view.state === "running" && silent) return ["warn", `Stalled: nothing heard for ${seconds(silent)}${current ? `; last at ${apart(current)}` : ""}`];
  const reason = [view.message, view.code ? `(${view.code})` : ""].filter(Boolean).map(plain).join(" ");
  if (view.state === "retrying") {
    const wait = view.retry_at ? Math.max(0, (Date.parse(view.retry_at) - now) / 1000) : 0;
    return ["warn", `${reason ? `${reason} · ` : ""}try ${view.attempt + 1} ${wait > 0.5 ? `in ${seconds(wait)}` : "now"}`];
  }
  if (view.state === "failed" || view.state === "parked") return ["bad", reason];
  return ["", view.attempt > 1 && view.state === "running" ? `Try ${view.attempt}` : ""];
};

class Timeline {
  constructor(root) {
    this.fold = newFold();
    this.live = new Map();
    this.connection = "";
    this.opened = Date.now();
    this.asking = askingAgain({
      wanted: () => this.signature !== this.data.signature,
      ask: () => this.trigger("changed", this.signature),
      pause: (tries) => 500 * (tries + 1),
    });
    this.head = el("div", { class: "head" });
    this.headline = el("span", { class: "headline" });
    this.clock = el("span", { class: "clock" });
    this.link = el("span", { class: "link", role: "status" });
    this.head.append(this.headline, this.clock, this.link);
    this.list = el("ol", { class: "stages" });
    this.rows = STAGES.map(([name, title]) => newRow(name, title));
    this.marks = new Map();
    for (const row of this.rows) {
      this.list.append(row.root);
      if (REACHED[row.name]) {
        const mark = newMark(REACHED[row.name][1]);
        this.marks.set(row.name, mark);
        this.list.append(mark);
      }
    }
    root.append(this.head, this.list);
    this.interval = setInterval(() => this.draw(), 500);
  }

  update(data, trigger) {
    this.data = data;
    this.trigger = trigger;
    this.offset = data.now - Date.now();
    if (!this.stream && data.live) this.connect();
    else if (!this.stream) this.rest();
    this.draw();
  }

  // Nothing happens in what is over, until somebody has it run again: only then is all of it asked for.
  rest() {
    const after = new URLSearchParams({ stream_id: `analysis/${this.data.analysis_id}`, after: this.data.version });
    this.stream = listen(`${this.data.api}/events/live?${after}`, {
      events: { milestone: () => { this.stream.close(); this.connect(); } },
      onstate: () => {},
    });
  }

  connect() {
    this.connection = "connecting";
    this.stream = listen(`${this.data.api}/analyses/${this.data.analysis_id}/events`, {
      events: { milestone: (envelope) => this.milestone(envelope), tick: (tick) => this.tick(tick) },
      onstate: (state) => { this.connection = state; this.draw(); },
    });
  }

  milestone(envelope) {
    if (envelope.version <= this.fold.version) return; // told again after a new connection
    take(this.fold, envelope);
    const name = envelope.data?.stage;
    if (name) {
      const live = this.live.get(name);
      if (live) {
        live.heard = Date.now();
        if (envelope.event_type !== "processing.stage.started") delete live.shards[envelope.data.shard ?? 0];
      }
    }
    this.schedule();
  }

  // A run's newest tick is kept for whoever comes later: it may be old, or of a run that is over.
  tick(tick) {
    const run = this.fold.stages.get(tick.stage)?.runs.get(tick.shard);
    if (run && (run.id !== tick.run_id || !ACTIVE.has(run.state))) return;
    const live = this.live.get(tick.stage) ?? { shards: {}, heard: 0 };
    this.live.set(tick.stage, live);
    const now = Date.now();
    const age = tick.at ? now + this.offset - tick.at * 1000 : 0;
    const heard = now - (age > KEPT ? age : 0);
    live.shards[tick.shard] = { ...tick, heard };
    live.heard = Math.max(live.heard, heard);
    this.schedule();
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => { this.scheduled = false; this.draw(); });
  }

  caughtUp() { return this.fold.version > 0 && this.fold.version >= this.data.version; }

  state() { return this.caughtUp() ? this.fold.state : this.data.state; }

  views() {
    return this.caughtUp() ? viewsOf(this.fold) : new Map(this.data.stages.map((stage) => [stage.stage, stage]));
  }

  draw() {
    if (!this.data) return;
    const now = Date.now();
    const state = this.state();
    const views = this.views();
    const ended = this.caughtUp() ? this.fold.ended : this.data.ended_at;
    const until = ended ? Date.parse(ended) : now + this.offset;
    setText(this.headline, state === "ready" && ended ? "Ready" : HEADLINES[state] ?? state);
    setText(this.clock, seconds((until - Date.parse(this.data.began_at)) / 1000));
    setClass(this.head, `head ${state}`);
    const connection = ended && ["connecting", "live"].includes(this.connection) ? "" : this.connection;
    setText(this.link, CONNECTION[connection] ?? "");
    setClass(this.link, `link ${connection}`);
    for (const row of this.rows) this.drawRow(row, views, now);
    for (const [name, mark] of this.marks) {
      setClass(mark, `mark ${ORDER.indexOf(state) >= ORDER.indexOf(REACHED[name][0]) || views.get(name)?.state === "completed" ? "reached" : ""}`);
    }
    this.tell(signatureOf(state, ended, views));
  }

  drawRow(row, views, now) {
    const view = views.get(row.name) ?? WAITING;
    const live = this.live.get(row.name);
    const heardOf = view.state === "running" ? Object.values(live?.shards ?? {}).sort((a, b) => a.shard - b.shard) : [];
    row.root.hidden = row.name === "history" && view.state === "waiting"; // only where it was asked for
    const running = view.state === "running";
    const started = view.started_at ? Date.parse(view.started_at) - this.offset : 0;
    const known = Math.max(started, heardOf.length ? 0 : this.opened, ["connecting", "lost", "over", "barred", "gone"].includes(this.connection) ? now : 0);
    const silence = (heard) => (running && now - heard > this.data.stalled_after * 1000 ? (now - heard) / 1000 : 0);
    const silent = silence(Math.max(known, live?.heard ?? 0));
    const ticks = heardOf.map((tick) => ({ ...tick, silent: silent ? 0 : silence(Math.max(known, tick.heard)) }));
    const open = ticks.filter((tick) => shareOf(tick) < 1);
    const parts = running ? partsOf(row.name, views, ticks) : null;
    const progress = running ? progressOf(view, parts, ticks) : null;
    const last = [...ticks].sort((a, b) => b.heard - a.heard)[0];
    const [tone, note] = noteOf(view, silent, plain(last?.current), now + this.offset);
    setClass(row.root, `row ${view.state}${silent ? " stalled" : ""}`);
    const over = view.state === "waiting" && ["failed", "cancelled"].includes(this.state());
    setText(row.state, over ? "not reached" : WORDS[view.state] ?? view.state);
    setText(row.counts, countsOf(view));
    setText(row.percent, progress === null ? "" : `${Math.floor(progress * 100)} %`);
    setText(row.time, this.elapsed(view, now));
    row.bar.hidden = !running;
    setClass(row.bar, progress === null ? "bar unknown" : "bar");
    row.fill.style.width = progress === null ? "" : `${(progress * 100).toFixed(1)}%`;
    row.bar.setAttribute("aria-valuenow", progress === null ? "" : String(Math.floor(progress * 100)));
    const shards = view.shards > 1 && view.state !== "completed" ? `${view.shards_done} of ${view.shards} shards` : "";
    setText(row.detail, [shards, ...(silent ? [] : [rateOf(open), running ? leftOf(parts, progress, open) : ""])].filter(Boolean).join(" · "));
    this.drawWork(row, running ? workOf(view, open.length ? open : ticks) : null);
    setText(row.note, note);
    setClass(row.note, `note ${tone}`);
  }

  // As many lines as there ever were while the stage runs: nothing below jumps when one shard ends and another begins.
  drawWork(row, lines) {
    row.work.hidden = lines === null;
    if (lines === null) return row.work.replaceChildren();
    while (row.work.children.length < Math.max(1, lines.length)) row.work.append(el("li"));
    [...row.work.children].forEach((item, n) => {
      const said = lines[n] || "\u00a0";
      if (item.textContent !== said) item.textContent = said;
    });
  }

  elapsed(view, now) {
    if (!view.started_at) return "";
    const end = view.ended_at ? Date.parse(view.ended_at) : view.state === "running" ? now + this.offset : NaN;
    return seconds((end - Date.parse(view.started_at)) / 1000);
  }

  // The page around the timeline is drawn again when something it shows has changed, and only then.
  tell(signature) {
    if (this.signature === signature) return this.asking.tell();
    this.signature = signature;
    return this.asking.anew();
  }

  close() {
    clearInterval(this.interval);
    this.asking.stop();
    this.stream?.close();
  }
}

const timelines = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  if (!timelines.has(parentElement)) timelines.set(parentElement, new Timeline(parentElement));
  timelines.get(parentElement).update(data, setTriggerValue);
  return () => {
    timelines.get(parentElement)?.close();
    timelines.delete(parentElement);
  };
}
