// A picture on a canvas that is dragged, zoomed and pointed at. What it shows is drawn by whoever makes one: `paint(pen,
// view)` in places of its own, `hit(x, y)` gives what is there, `pick(found)` is told what was pressed.

const FAR = 400; // times as close as the whole
const COLOURS = ["ink", "muted", "line", "surface", "raised", "accent", "accent-soft", "good", "warn", "bad"];

class Picture {
  constructor({ label, paint, hit, tell, pick, hint }) {
    Object.assign(this, { paint, hit, tell, pick, hint });
    this.canvas = el("canvas", { tabindex: "0", role: "img", "aria-label": label });
    this.pen = this.canvas.getContext("2d");
    this.probes = Object.fromEntries(COLOURS.map((name) => [name, el("i", { style: `color: var(--rs-${name})` })]));
    this.say = el("p", { class: "say" }, hint);
    const button = (title, sign, act) => el("button", { type: "button", "aria-label": title, title, onclick: act }, sign);
    this.root = el("div", { class: "picture" },
      el("div", { class: "probes", "aria-hidden": "true" }, ...Object.values(this.probes)), this.canvas,
      el("div", { class: "zoom" },
        button("Closer", "+", () => this.zoom(1.5)), button("Further away", "−", () => this.zoom(1 / 1.5)), button("All of it", "⤢", () => this.fit())),
      this.say);
    this.size = { w: 1, h: 1 };
    this.fingers = new Map();
    this.listen();
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.canvas);
  }

  listen() {
    const on = (name, act, options) => this.canvas.addEventListener(name, act, options);
    on("wheel", (event) => {
      if (!event.ctrlKey && this.canvas !== this.canvas.getRootNode().activeElement) return; // the page scrolls
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), event);
    }, { passive: false });
    on("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
      this.moved = 0;
    });
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => {
      if (this.fingers.delete(event.pointerId) && this.moved < 6) this.press(event);
    });
    on("pointercancel", (event) => this.fingers.delete(event.pointerId));
    on("pointerleave", () => setText(this.say, this.hint));
    on("keydown", (event) => {
      const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
      if (step) this.shift(...step);
      else if (event.key === "+" || event.key === "=") this.zoom(1.5);
      else if (event.key === "-") this.zoom(1 / 1.5);
      else if (event.key === "0") this.fit();
      else return;
      event.preventDefault();
    });
  }

  // What there is: `w` and `h` in its own places. It is seen as a whole unless somebody has looked closer.
  show(world) {
    const first = !this.world;
    this.world = world;
    if (first || this.whole) this.fit();
    else this.draw();
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    if (!box.width) return;
    const dense = window.devicePixelRatio || 1;
    this.size = { w: box.width, h: box.height };
    this.canvas.width = Math.round(box.width * dense);
    this.canvas.height = Math.round(box.height * dense);
    if (this.whole || !this.view) this.fit();
    else this.draw();
  }

  fit() {
    if (!this.world) return;
    this.view = { x: 0, y: 0, sx: this.size.w / this.world.w, sy: this.size.h / this.world.h };
    this.whole = true;
    this.draw();
  }

  zoom(by, at) {
    if (!this.view) return;
    const box = this.canvas.getBoundingClientRect();
    const [px, py] = at ? [at.clientX - box.left, at.clientY - box.top] : [this.size.w / 2, this.size.h / 2];
    const { x, y, sx, sy } = this.view;
    const least = [this.size.w / this.world.w, this.size.h / this.world.h];
    const limit = (value, low) => Math.min(low * FAR, Math.max(low, value));
    const [nx, ny] = [limit(sx * by, least[0]), limit(sy * by, least[1])];
    this.view = { x: x + px / sx - px / nx, y: y + py / sy - py / ny, sx: nx, sy: ny };
    this.keep();
  }

  shift(dx, dy) {
    if (!this.view) return;
    this.view.x -= dx / this.view.sx;
    this.view.y -= dy / this.view.sy;
    this.keep();
  }

  keep() {
    const { w, h } = this.world;
    const seen = [this.size.w / this.view.sx, this.size.h / this.view.sy];
    this.view.x = Math.max(0, Math.min(w - seen[0], this.view.x));
    this.view.y = Math.max(0, Math.min(h - seen[1], this.view.y));
    this.whole = seen[0] >= w * 0.999 && seen[1] >= h * 0.999;
    this.draw();
  }

  move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) {
      const found = this.at(event);
      this.canvas.style.cursor = found ? "pointer" : "grab";
      setText(this.say, found ? this.tell(found) : this.hint);
      return;
    }
    const others = [...this.fingers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
    const [dx, dy] = [event.clientX - before[0], event.clientY - before[1]];
    this.moved += Math.hypot(dx, dy);
    if (!others.length) return this.shift(dx, dy);
    const was = Math.hypot(before[0] - others[0][0], before[1] - others[0][1]);
    const is = Math.hypot(event.clientX - others[0][0], event.clientY - others[0][1]);
    if (was > 1 && is > 1) this.zoom(is / was, event);
  }

  press(event) {
    const found = this.at(event);
    if (found) this.pick(found);
  }

  at(event) {
    if (!this.view) return null;
    const box = this.canvas.getBoundingClientRect();
    const { x, y, sx, sy } = this.view;
    return this.hit(x + (event.clientX - box.left) / sx, y + (event.clientY - box.top) / sy, this.view);
  }

  draw() {
    if (this.due) return;
    this.due = requestAnimationFrame((now) => {
      this.due = 0;
      if (!this.view || !this.world) return;
      if (!(now - this.coloured < 500)) { // the scheme may have changed
        this.colours = Object.fromEntries(COLOURS.map((name) => [name, getComputedStyle(this.probes[name]).color]));
        this.coloured = now;
      }
      const dense = window.devicePixelRatio || 1;
      this.pen.setTransform(dense, 0, 0, dense, 0, 0);
      this.pen.clearRect(0, 0, this.size.w, this.size.h);
      this.paint(this.pen, this.view, this.size, this.colours);
    });
  }

  close() {
    this.watch.disconnect();
    cancelAnimationFrame(this.due);
  }
}
