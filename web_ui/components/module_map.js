// What is right below a folder as a graph: files and folders, and how many imports and calls lead from one to another.
// Drawn once for each folder; wheel, fingers, drag and buttons look closer, a press or Enter opens.

const SVG = "http://www.w3.org/2000/svg";
const SIZE = 1000;
const ROUNDS = 300;
const WORDS = 12; // pixels of the page

const shape = (tag, properties = {}, ...children) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

const radiusOf = (node, largest) => 12 + 30 * Math.sqrt(node.size / Math.max(1, largest));

// Forces: all push each other away, what hangs together is drawn together. The same graph gives the same picture.
const settle = (nodes, edges, aspect) => {
  const spread = Math.max(95, (0.45 * SIZE) / Math.sqrt(nodes.length + 1));
  const toMiddle = [0.4 / Math.sqrt(aspect), 0.4 * Math.sqrt(aspect)]; // as wide as the picture is
  nodes.forEach((node, n) => {
    const angle = (2 * Math.PI * n) / nodes.length;
    node.x = SIZE / 2 + (SIZE / 3) * Math.cos(angle);
    node.y = SIZE / 2 + (SIZE / 3) * Math.sin(angle);
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    const moves = nodes.map(() => [0, 0]);
    for (let a = 0; a < nodes.length; a += 1) {
      for (let b = a + 1; b < nodes.length; b += 1) {
        const dx = nodes[a].x - nodes[b].x;
        const dy = nodes[a].y - nodes[b].y || 0.01;
        const apart = Math.max(1, Math.hypot(dx, dy));
        const push = (spread * spread) / (apart * apart);
        moves[a][0] += dx * push; moves[a][1] += dy * push;
        moves[b][0] -= dx * push; moves[b][1] -= dy * push;
      }
    }
    for (const edge of edges) {
      const [a, b] = [edge.from, edge.to];
      const dx = nodes[a].x - nodes[b].x;
      const dy = nodes[a].y - nodes[b].y;
      const pull = (Math.hypot(dx, dy) / spread) * 0.5;
      moves[a][0] -= dx * pull; moves[a][1] -= dy * pull;
      moves[b][0] += dx * pull; moves[b][1] += dy * pull;
    }
    const heat = (SIZE / 10) * (1 - round / ROUNDS);
    nodes.forEach((node, n) => {
      const dx = moves[n][0] + (SIZE / 2 - node.x) * toMiddle[0];
      const dy = moves[n][1] + (SIZE / 2 - node.y) * toMiddle[1];
      const far = Math.max(1e-6, Math.hypot(dx, dy));
      node.x += (dx / far) * Math.min(far, heat);
      node.y += (dy / far) * Math.min(far, heat);
    });
  }
};

// Half the width of a node's name.
const halfOf = (node, size) => (node.label?.textContent.length ?? 0) * size * 0.31;

const arrowOf = (from, to) => {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const far = Math.max(1, Math.hypot(dx, dy));
  const [ux, uy] = [dx / far, dy / far];
  const begin = [from.x + ux * from.r, from.y + uy * from.r];
  const end = [to.x - ux * (to.r + 6), to.y - uy * (to.r + 6)];
  const middle = [(begin[0] + end[0]) / 2 - uy * far * 0.08, (begin[1] + end[1]) / 2 + ux * far * 0.08];
  return `M${begin} Q${middle} ${end}`;
};

class ModuleMap {
  constructor(root) {
    this.view = null;
    this.nodes = [];
    this.fingers = new Map();
    this.moved = 0;
    this.say = el("div", { class: "say", role: "status" });
    this.svg = shape("svg", { role: "group", "aria-label": "Map of modules", preserveAspectRatio: "xMidYMid meet" });
    const tool = (name, sign, act) => el("button", { type: "button", "aria-label": name, title: name, onclick: act }, sign);
    this.box = el("div", { class: "map" },
      el("div", { class: "tools" },
        tool("Closer", "+", () => this.zoom(0.75)),
        tool("Farther", "\u2212", () => this.zoom(1 / 0.75)),
        tool("All of it", "\u2922", () => this.fit())),
      this.say);
    this.box.prepend(this.svg);
    root.append(this.box);
    this.svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls; pinching on a trackpad comes with ctrl
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.15 : 0.87, this.at(event));
    }, { passive: false });
    this.svg.addEventListener("pointerdown", (event) => {
      this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
      this.moved = 0;
    });
    this.svg.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      this.svg.addEventListener(name, (event) => {
        this.fingers.delete(event.pointerId);
        this.svg.classList.remove("dragged");
      });
    }
  }

  at(event) {
    const place = this.svg.getBoundingClientRect();
    const scale = Math.max(this.view.w / place.width, this.view.h / place.height);
    return [
      this.view.x + this.view.w / 2 + (event.clientX - place.left - place.width / 2) * scale,
      this.view.y + this.view.h / 2 + (event.clientY - place.top - place.height / 2) * scale,
    ];
  }

  // Units of the picture in a pixel of the page.
  scale(view) {
    return Math.max(view.w / (this.svg.clientWidth || SIZE), view.h / (this.svg.clientHeight || SIZE));
  }

  look(view) {
    this.view = view;
    const size = WORDS * this.scale(view);
    this.svg.style.fontSize = `${size}px`; // words are as large as elsewhere, however close one looks
    this.svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
    this.uncover(size);
  }

  // Of names that would lie over one another only that of the largest is shown, until one looks closer or points at it.
  uncover(size) {
    const taken = [];
    for (const node of [...this.nodes].sort((a, b) => b.size - a.size)) {
      const half = halfOf(node, size);
      const top = node.y + node.r;
      const box = { left: node.x - half, right: node.x + half, top, bottom: top + size * 1.3 };
      const free = taken.every((other) =>
        box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom);
      node.label?.classList.toggle("covered", !free);
      if (free) taken.push(box);
    }
  }

  // All of it in view, its names too: they are as large however much is seen, so that more of it gives them more of it.
  fit() {
    const all = this.nodes.length ? this.nodes : [{ x: 0, y: 0, r: SIZE / 2 }];
    const reach = (size, w) => (node) => Math.max(node.r, Math.min(halfOf(node, size), w / 3)) + size;
    let view = { x: 0, y: 0, w: SIZE, h: SIZE };
    for (let round = 0; round < 16; round += 1) {
      const size = WORDS * this.scale(view);
      const beside = reach(size, view.w);
      const left = Math.min(...all.map((node) => node.x - beside(node)));
      const right = Math.max(...all.map((node) => node.x + beside(node)));
      const top = Math.min(...all.map((node) => node.y - node.r)) - size;
      const bottom = Math.max(...all.map((node) => node.y + node.r)) + 2 * size;
      view = { x: left, y: top, w: right - left, h: bottom - top };
    }
    this.look(view);
  }

  zoom(factor, about = null) {
    const { x, y, w, h } = this.view;
    if (w * factor < 60 || w * factor > SIZE * 8) return;
    const [px, py] = about ?? [x + w / 2, y + h / 2];
    this.look({ x: px - (px - x) * factor, y: py - (py - y) * factor, w: w * factor, h: h * factor });
  }

  drag(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const others = [...this.fingers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    this.fingers.set(event.pointerId, now);
    this.moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (others.length) {
      const was = Math.hypot(before[0] - others[0][0], before[1] - others[0][1]);
      const is = Math.hypot(now[0] - others[0][0], now[1] - others[0][1]);
      if (is > 1) this.zoom(was / is, this.at(event));
      return;
    }
    this.svg.classList.add("dragged");
    const place = this.svg.getBoundingClientRect();
    const scale = Math.max(this.view.w / place.width, this.view.h / place.height);
    const { x, y, w, h } = this.view;
    this.look({ x: x - (now[0] - before[0]) * scale, y: y - (now[1] - before[1]) * scale, w, h });
  }

  draw(data) {
    const drawn = JSON.stringify(data);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.nodes = data.nodes.map((node) => ({ ...node }));
    const places = new Map(this.nodes.map((node, n) => [node.path, n]));
    this.edges = data.edges
      .map((edge) => ({ ...edge, from: places.get(edge.source), to: places.get(edge.target) }))
      .filter((edge) => edge.from !== undefined && edge.to !== undefined);
    const largest = Math.max(1, ...this.nodes.map((node) => node.size));
    for (const node of this.nodes) node.r = radiusOf(node, largest);
    settle(this.nodes, this.edges, (this.svg.clientWidth || 2) / (this.svg.clientHeight || 1));
    const most = Math.max(1, ...this.edges.map((edge) => edge.imports + edge.calls));
    const head = shape("marker", { id: "head", viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 9, markerHeight: 9, orient: "auto", markerUnits: "userSpaceOnUse" },
      shape("path", { d: "M0 0 L8 4 L0 8 z", class: "arrow" }));
    const lines = this.edges.map((edge) => shape("path", {
      class: "edge", d: arrowOf(this.nodes[edge.from], this.nodes[edge.to]), "marker-end": "url(#head)",
      "stroke-width": 1 + 6 * ((edge.imports + edge.calls) / most),
    }));
    const marks = this.nodes.map((node, n) => this.mark(node, n, lines));
    this.svg.replaceChildren(shape("defs", {}, head), ...lines, ...marks);
    this.fit();
    this.hint = data.nodes.length ? data.hint : "There is nothing in it.";
    setText(this.say, this.hint);
  }

  mark(node, n, lines) {
    const name = plain(node.name) + (node.is_file ? "" : "/");
    const label = shape("text", { x: node.x, y: node.y + node.r, dy: "1.15em", "text-anchor": "middle" });
    label.textContent = name.length > 26 ? `${name.slice(0, 12)}\u2026${name.slice(-12)}` : name;
    node.label = label;
    const title = plain(node.title);
    const group = shape("g", { class: `node ${node.is_file ? "file" : "folder"}`, tabindex: 0, role: "button", "aria-label": `${name}: ${title}` },
      shape("circle", { cx: node.x, cy: node.y, r: node.r, class: `tone-${node.tone}` }), label);
    const near = this.edges.map((edge) => edge.from === n || edge.to === n);
    const tell = () => {
      lines.forEach((line, e) => line.setAttribute("class", near[e] ? "edge near" : "edge far"));
      const [out, into] = [this.edges.filter((edge) => edge.from === n), this.edges.filter((edge) => edge.to === n)];
      const sum = (found, what) => number.format(found.reduce((all, edge) => all + edge[what], 0));
      setText(this.say, `${title}. Leads out: ${sum(out, "imports")} imports, ${sum(out, "calls")} calls; in: ${sum(into, "imports")} imports, ${sum(into, "calls")} calls.`);
    };
    const rest = () => {
      lines.forEach((line) => line.setAttribute("class", "edge"));
      setText(this.say, this.hint);
    };
    group.addEventListener("pointerenter", tell);
    group.addEventListener("focus", tell);
    group.addEventListener("pointerleave", rest);
    group.addEventListener("blur", rest);
    group.addEventListener("click", () => { if (this.moved < 6) this.open(node.path); });
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.open(node.path);
    });
    return group;
  }
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  parentElement.moduleMap ??= new ModuleMap(parentElement);
  parentElement.moduleMap.open = (path) => setTriggerValue("opened", path);
  parentElement.moduleMap.draw(data);
  return undefined;
}
