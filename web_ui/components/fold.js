// What an analysis is, computed from its events: the same fold the API does, for what the timeline shows.

const ACTIVE = new Set(["queued", "running", "retrying"]);

const newFold = () => ({ version: 0, state: "requested", answerable: false, ended: null, stages: new Map() });

const stageOf = (fold, name) => {
  if (!fold.stages.has(name)) fold.stages.set(name, { shards: 0, runs: new Map() });
  return fold.stages.get(name);
};

// The run that an event is about; null where the event speaks of an attempt that is over.
const runOf = (fold, data) => {
  const run = fold.stages.get(data.stage)?.runs.get(data.shard);
  return run && run.attempt === data.attempt ? run : null;
};

const begin = (fold) => { if (fold.state === "requested") fold.state = "running"; };

const stopRuns = (fold, at) => {
  for (const stage of fold.stages.values()) {
    for (const run of stage.runs.values()) if (ACTIVE.has(run.state)) Object.assign(run, { state: "cancelled", ended: at });
  }
};

const breakRun = (fold, data, change) => {
  const run = runOf(fold, data);
  if (run && ACTIVE.has(run.state)) Object.assign(run, change);
};

const CHANGES = {
  "processing.stage.requested": (fold, data) => {
    const stage = stageOf(fold, data.stage);
    stage.shards = data.shards;
    const before = stage.runs.get(data.shard); // its result stands until there is another
    stage.runs.set(data.shard, { id: data.run_id, state: "queued", attempt: data.attempt, counts: before?.counts ?? {}, files: before?.files ?? 0 });
  },
  "processing.stage.started": (fold, data, at) => {
    const run = runOf(fold, data);
    if (!run || !ACTIVE.has(run.state)) return;
    Object.assign(run, { state: "running", started: at });
    begin(fold);
  },
  "processing.stage.completed": (fold, data, at) => {
    const run = runOf(fold, data);
    if (!run) return;
    Object.assign(run, { state: "completed", ended: at, files: data.files_processed, counts: data.counts ?? {}, code: null, message: null, due: null });
    begin(fold);
    if (data.stage === "index" && !fold.answerable) {
      fold.answerable = true;
      if (fold.state === "running") fold.state = "answerable";
    }
  },
  "processing.stage.failed": (fold, data, at) => {
    breakRun(fold, data, { state: "failed", ended: at, code: data.code, message: data.message });
    begin(fold);
  },
  "processing.stage.parked": (fold, data, at) => {
    breakRun(fold, data, { state: "parked", ended: at, code: "parked", message: data.message });
  },
  "processing.retry.scheduled": (fold, data) => {
    const run = runOf(fold, data);
    if (["failed", "parked"].includes(run?.state)) Object.assign(run, { state: "retrying", due: data.due_at });
  },
  "repository.processing.estimated": (fold, data) => {
    if (data.over?.length && ["requested", "running"].includes(fold.state)) fold.state = "unconfirmed";
  },
  "repository.processing.confirmed": (fold) => { if (fold.state === "unconfirmed") fold.state = "running"; },
  "repository.processing.started": (fold) => begin(fold),
  "repository.processing.completed": (fold) => { fold.state = "ready"; },
  "repository.processing.refined": (fold, _data, at) => { Object.assign(fold, { state: "refined", ended: at }); },
  "repository.processing.failed": (fold, _data, at) => { Object.assign(fold, { state: "failed", ended: at }); },
  "repository.processing.cancelled": (fold, _data, at) => {
    Object.assign(fold, { state: "cancelled", ended: at });
    stopRuns(fold, at);
  },
  "repository.processing.cancel_requested": (fold, _data, at) => {
    if (fold.state !== "ready") return;
    fold.ended = at;
    stopRuns(fold, at);
  },
  "repository.processing.retry_requested": (fold) => {
    if (fold.state === "failed") Object.assign(fold, { state: fold.answerable ? "answerable" : "running", ended: null });
    else if (["ready", "refined"].includes(fold.state)) Object.assign(fold, { state: "ready", ended: null });
  },
};

// Takes one event in; an event that was seen before changes nothing.
const take = (fold, envelope) => {
  if (envelope.version <= fold.version) return;
  fold.version = envelope.version;
  CHANGES[envelope.event_type]?.(fold, envelope.data, envelope.timestamp);
};

// The most alive of the shards' states; broken only once nothing is alive; complete once nothing is missing.
const stateOfRuns = (runs, shards, analysisState) => {
  const has = (state) => runs.some((run) => run.state === state);
  if (!runs.length) return "waiting";
  if (has("running")) return "running";
  if (has("retrying")) return "retrying";
  if (has("queued")) return has("completed") ? "running" : "queued";
  const broken = ["parked", "failed", "cancelled"].find(has);
  if (broken) return broken;
  return runs.length >= shards || ["ready", "refined"].includes(analysisState) ? "completed" : "running";
};

// One stage in the shape of the API's StageView, and what its `ended` shards counted.
const stageView = (name, stage, analysisState) => {
  const runs = [...stage.runs.values()];
  const state = stateOfRuns(runs, stage.shards, analysisState);
  const told = runs.find((run) => ["parked", "failed", "cancelled", "retrying"].includes(run.state));
  const summed = (some) => {
    const counts = {};
    for (const run of some) for (const [key, value] of Object.entries(run.counts)) counts[key] = (counts[key] ?? 0) + value;
    return counts;
  };
  const completed = runs.filter((run) => run.state === "completed");
  const times = (key) => runs.map((run) => run[key]).filter(Boolean).sort((a, b) => Date.parse(a) - Date.parse(b));
  return {
    stage: name, state, shards: stage.shards, counts: summed(runs), ended: summed(completed),
    shards_done: completed.length,
    attempt: Math.max(1, ...runs.map((run) => run.attempt)),
    started_at: times("started")[0] ?? null,
    ended_at: ACTIVE.has(state) || state === "waiting" ? null : times("ended").at(-1) ?? null,
    files_processed: runs.reduce((sum, run) => sum + run.files, 0),
    code: told?.code ?? null, message: told?.message ?? null, retry_at: times("due")[0] ?? null,
  };
};

const viewsOf = (fold) => new Map([...fold.stages].map(([name, stage]) => [name, stageView(name, stage, fold.state)]));

// What decides whether the page around the timeline has to be drawn again.
const signatureOf = (state, ended, views) => {
  const done = ["clone", "metadata", "structure", "history", "parse", "link"].filter((name) => views.get(name)?.state === "completed");
  return [state === "requested" ? "running" : state, ended ? "ended" : "", ...done].join("|");
};
