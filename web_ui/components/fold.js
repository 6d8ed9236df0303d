// What an analysis is, computed from its events: the same fold the API does, for what the timeline shows.

const newFold = () => ({ version: 0, state: "requested", code: null, message: null, since: null, ended: null, stages: new Map() });

const stageOf = (fold, name) => {
  if (!fold.stages.has(name)) fold.stages.set(name, { shards: 0, runs: new Map() });
  return fold.stages.get(name);
};

const runOf = (fold, data) => {
  const stage = stageOf(fold, data.stage);
  if (data.shards) stage.shards = Math.max(stage.shards, data.shards);
  if (!stage.runs.has(data.shard)) stage.runs.set(data.shard, { state: "queued", attempt: 1, counts: {} });
  return stage.runs.get(data.shard);
};

const CHANGES = {
  "repository.processing.requested": (fold, _data, at) => { fold.since = at; },
  "processing.stage.requested": (fold, data) => {
    const run = runOf(fold, data);
    if (["failed", "cancelled", "refined"].includes(fold.state)) fold.state = "running";
    Object.assign(run, { state: "queued", attempt: data.attempt, code: null, message: null, due: null, ended: null });
  },
  "processing.stage.started": (fold, data, at) => {
    if (fold.state === "requested") fold.state = "running";
    const run = runOf(fold, data);
    Object.assign(run, { state: "running", attempt: data.attempt, started: run.started ?? at, due: null });
  },
  "processing.stage.completed": (fold, data, at) => {
    Object.assign(runOf(fold, data), {
      state: "completed", attempt: data.attempt, ended: at, files: data.files_processed, counts: data.counts ?? {},
      duration: data.duration, code: null, message: null, due: null,
    });
    if (data.stage === "index" && ["requested", "running"].includes(fold.state)) fold.state = "answerable";
  },
  "processing.stage.failed": (fold, data, at) => {
    Object.assign(runOf(fold, data), {
      state: "failed", attempt: data.attempt, ended: at, code: data.code, message: data.message,
    });
  },
  "processing.stage.parked": (fold, data, at) => {
    Object.assign(runOf(fold, data), { state: "parked", ended: at, code: "parked", message: data.message });
  },
  "processing.retry.scheduled": (fold, data) => {
    Object.assign(runOf(fold, data), { state: "retrying", due: data.due_at });
  },
  "repository.processing.completed": (fold, _data, at) => { Object.assign(fold, { state: "ready", ready: at }); },
  "repository.processing.refined": (fold, _data, at) => { Object.assign(fold, { state: "refined", ended: at }); },
  "repository.processing.failed": (fold, data, at) => {
    Object.assign(fold, { state: "failed", code: data.code, message: data.message, ended: at });
  },
  "repository.processing.cancelled": (fold, _data, at) => { Object.assign(fold, { state: "cancelled", ended: at }); },
  "repository.processing.retry_requested": (fold) => {
    Object.assign(fold, { state: "running", code: null, message: null, ended: null });
  },
};

// Takes one event in; an event that was seen before changes nothing.
const take = (fold, envelope) => {
  if (envelope.version <= fold.version) return;
  fold.version = envelope.version;
  CHANGES[envelope.event_type]?.(fold, envelope.data, envelope.timestamp);
};

const WORST = ["parked", "failed", "retrying", "running"];

const stateOfRuns = (runs, shards, done) => {
  const worst = WORST.find((state) => runs.some((run) => run.state === state));
  if (worst) return worst;
  if (shards > 0 && done === shards) return "completed";
  return runs.length > done ? "queued" : done > 0 ? "running" : "waiting";
};

// One stage in the shape of the API's StageView.
const stageView = (name, stage, analysisState) => {
  const runs = [...stage.runs.values()];
  const done = runs.filter((run) => run.state === "completed").length;
  const told = runs.find((run) => ["parked", "failed", "retrying"].includes(run.state));
  const counts = {};
  for (const run of runs) for (const [key, value] of Object.entries(run.counts)) counts[key] = (counts[key] ?? 0) + value;
  const times = (key) => runs.map((run) => run[key]).filter(Boolean).sort();
  let state = stateOfRuns(runs, stage.shards, done);
  if (analysisState === "cancelled" && !["completed", "failed", "parked"].includes(state)) state = "cancelled";
  return {
    stage: name, state, shards: stage.shards, shards_done: done, counts,
    attempt: Math.max(1, ...runs.map((run) => run.attempt)),
    started_at: times("started")[0] ?? null,
    ended_at: state === "running" || state === "queued" ? null : times("ended").at(-1) ?? null,
    files_processed: runs.reduce((sum, run) => sum + (run.files ?? 0), 0),
    code: told?.code ?? null, message: told?.message ?? null, retry_at: told?.due ?? null,
  };
};

const viewsOf = (fold) => new Map([...fold.stages].map(([name, stage]) => [name, stageView(name, stage, fold.state)]));

// What decides whether the page around the timeline has to be drawn again.
const signatureOf = (state, views) => {
  const done = ["clone", "metadata", "structure"].filter((name) => views.get(name)?.state === "completed");
  return [state === "requested" ? "running" : state, ...done].join("|");
};
