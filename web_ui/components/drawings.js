// The two pictures of a history: its runs over time, and what led to what.

const OUTCOMES = { completed: "good", failed: "bad", parked: "bad", running: "accent", queued: "muted" };
const LANE = 16; // height of a run
const TEXT = "11px ui-sans-serif, system-ui, sans-serif";

const nameOf = (one) => plain(`${one.stage}${one.shard ? ` ${one.shard + 1}` : ""}`);

// The name of a run stands in its bar where there is room, else beside it where no other run of its lane is.
const label = (pen, run, { x, end, y, work, size }, colours) => {
  const name = `${nameOf(run)}${run.attempt > 1 ? ` · try ${run.attempt}` : ""}`;
  const wide = pen.measureText(name).width + 8;
  if (work <= wide && !run.alone) return;
  const inside = work > wide;
  pen.fillStyle = inside ? colours.surface : colours.ink;
  const beside = end + wide < size.w ? end + 4 : x - wide + 4;
  pen.fillText(name, inside ? Math.max(4, end - work + 4) : Math.max(2, beside), y);
};

// Each run a bar in a lane: pale while it waited, full while it was worked on. Each stage has lanes of its own, and a
// lane holds what does not overlap.
const timelinePicture = (pick) => {
  let runs = [];
  let whole = 1;
  let mark = null;
  const picture = new Picture({
    label: "Timeline of the runs; the table below it says the same in words",
    hint: "Pale is waiting for a worker, full is work. Drag to move; + and − look closer, 0 shows all. Press a run to go to its end.",
    paint: (pen, view, size, colours) => {
      pen.font = TEXT;
      const place = (run) => [(run.from - view.x) * view.sx, (run.lane * LANE - view.y) * view.sy];
      const high = Math.max(1, Math.min(22, (LANE - 3) * view.sy));
      for (const run of runs) {
        const [x, y] = place(run);
        const [wait, work] = [run.waited * view.sx, Math.max(run.taken ? 1.5 : 0, run.worked * view.sx)];
        if (x > size.w || x + wait + work < 0 || y > size.h || y + high < 0) continue;
        pen.fillStyle = colours.line;
        pen.fillRect(x, y, Math.max(0.5, wait), high);
        pen.fillStyle = colours[OUTCOMES[run.outcome] ?? "muted"];
        pen.fillRect(x + wait, y, work, high);
        if (view.sy * LANE >= 11) label(pen, run, { x, end: x + wait + work, y: y + high / 2 + 4, work, size }, colours);
      }
      if (mark !== null) {
        pen.fillStyle = colours.ink;
        pen.fillRect((mark - view.x) * view.sx - 0.5, 0, 1.5, size.h);
      }
      pen.fillStyle = colours.muted;
      const seen = size.w / view.sx;
      for (let n = 1; n < 5; n += 1) pen.fillText(seconds(view.x + (seen * n) / 5), (size.w * n) / 5, size.h - 5);
    },
    hit: (x, y, view) => runs.find((run) => run.lane === Math.floor(y / LANE) && x >= run.from - 3 / view.sx && x <= run.from + run.waited + run.worked + 3 / view.sx),
    tell: (run) => `${nameOf(run)}, try ${run.attempt}: waited ${seconds(run.waited) || "0 s"}, worked ${seconds(run.worked) || "0 s"}, ${run.outcome}${run.code ? ` (${plain(run.code)})` : ""}${run.worker ? `, by ${plain(run.worker)}` : ""}`,
    pick: (run) => pick(run.ended_in || run.started_in || run.requested_in),
  });
  picture.take = (told) => {
    const began = Date.parse(told.began_at);
    const stages = new Map(told.stages.map((one) => [one.stage, []]));
    runs = told.runs.map((run) => {
      const from = (Date.parse(run.requested_at) - began) / 1000;
      const lanes = stages.get(run.stage) ?? [];
      let own = lanes.findIndex((lane) => lane.end <= from);
      if (own < 0) own = lanes.push({ runs: 0 }) - 1;
      lanes[own].end = from + run.waited + run.worked;
      lanes[own].runs += 1;
      return { ...run, from, own, taken: run.started_at !== null };
    });
    let rows = 0;
    for (const lanes of stages.values()) for (const lane of lanes) lane.row = rows++;
    for (const run of runs) {
      const lane = stages.get(run.stage)[run.own];
      [run.lane, run.alone] = [lane.row, lane.runs === 1];
    }
    whole = Math.max(0.1, ...runs.map((run) => run.from + run.waited + run.worked));
    picture.began = began;
    picture.show({ w: whole * 1.12, h: Math.max(12, rows + 2) * LANE });
  };
  picture.mark = (event) => {
    mark = event ? (Date.parse(event.timestamp) - (picture.began ?? 0)) / 1000 : null;
    picture.draw();
  };
  return picture;
};

const STEP = { x: 170, y: 22 };

// Where each event stands: as far to the right as it has causes, below what its cause had led to before.
const arrange = (items) => {
  const nodes = new Map(items.map((item) => [item.version, { ...item, below: [] }]));
  const roots = [];
  for (const node of nodes.values()) (nodes.get(node.cause)?.below ?? roots).push(node);
  let row = 0;
  const todo = roots.slice().reverse();
  while (todo.length) {
    const node = todo.pop();
    const before = nodes.get(node.cause);
    node.row = before && before.below[0] === node ? before.row : row++;
    row = Math.max(row, node.row + 1);
    for (let n = node.below.length - 1; n >= 0; n -= 1) todo.push(node.below[n]);
  }
  return nodes;
};

const causesPicture = (pick) => {
  let nodes = new Map();
  let places = new Map();
  let at = 0;
  const picture = new Picture({
    label: "Graph of causes; below it stands in words what led to the event that is looked at",
    hint: "An event stands to the right of what led to it. Drag to move; + and − look closer, 0 shows all. Press an event to go there.",
    paint: (pen, view, size, colours) => {
      pen.font = TEXT;
      const near = view.sy * STEP.y > 11 && view.sx * STEP.x > 70;
      const x = (node) => (node.depth * STEP.x + 12 - view.x) * view.sx;
      const y = (node) => (node.row * STEP.y + 11 - view.y) * view.sy;
      const top = view.y / STEP.y - 2;
      const bottom = (view.y + size.h / view.sy) / STEP.y + 2;
      pen.strokeStyle = colours.line;
      pen.lineWidth = 1;
      pen.beginPath();
      for (const node of nodes.values()) {
        const before = nodes.get(node.cause);
        if (!before || Math.max(node.row, before.row) < top || Math.min(node.row, before.row) > bottom) continue;
        pen.moveTo(x(before), y(before));
        pen.lineTo(x(before), y(node));
        pen.lineTo(x(node), y(node));
      }
      pen.stroke();
      const big = near ? 4.5 : Math.max(1, Math.min(3, view.sy * STEP.y * 0.4));
      for (const node of nodes.values()) {
        if (node.row < top || node.row > bottom) continue;
        const [px, py] = [x(node), y(node)];
        if (px < -STEP.x * view.sx || px > size.w + 5) continue;
        pen.fillStyle = colours[toneOf(node.event_type) || (node.cause ? "muted" : "accent")];
        pen.fillRect(px - big, py - big, 2 * big, 2 * big);
        if (node.version === at) {
          pen.strokeStyle = colours.ink;
          pen.lineWidth = 2;
          pen.strokeRect(px - big - 3, py - big - 3, 2 * big + 6, 2 * big + 6);
        }
        if (!near) continue;
        pen.fillStyle = colours.ink;
        const room = Math.max(4, Math.floor((STEP.x * view.sx - 18) / 6));
        const label = `${node.event_type.split(".").slice(-2).join(" ")} ${nameOf(node)}`.trim();
        pen.fillText(label.length > room ? `${label.slice(0, room - 1)}…` : label, px + 9, py - 4);
      }
    },
    hit: (px, py, view) => {
      const node = places.get(`${Math.floor(py / STEP.y)}:${Math.floor(Math.max(0, px) / STEP.x)}`);
      return node && px - node.depth * STEP.x < Math.max(STEP.x * 0.9, 20 / view.sx) ? node : null;
    },
    tell: (node) => `${node.version} · ${plain(node.event_type)}${node.stage ? `, ${nameOf(node)}` : ""}, ${node.cause ? `because of ${node.cause}` : node.elsewhere ? `because of ${node.elsewhere.version} of ${plain(node.elsewhere.stream_id)}` : node.from_outside ? "because of another stream" : "the beginning"}${node.about ? `, about ${plain(node.about)}` : ""}; led to ${number.format(node.below.length)}${node.led_to.map((one) => `, and ${one.version} of ${plain(one.stream_id)}`).join("")}`,
    pick: (node) => pick(node.version),
  });
  picture.take = (told) => {
    nodes = arrange(told.items);
    places = new Map([...nodes.values()].map((node) => [`${node.row}:${node.depth}`, node]));
    let [deep, rows] = [0, 0];
    for (const node of nodes.values()) [deep, rows] = [Math.max(deep, node.depth), Math.max(rows, node.row)];
    picture.nodes = nodes;
    picture.show({ w: (deep + 1) * STEP.x + 24, h: Math.max(8, rows + 1) * STEP.y + 22 });
  };
  picture.mark = (event) => {
    at = event?.version ?? 0;
    picture.draw();
  };
  return picture;
};
