// Listens to a piece of work that services do, and has what tells of it drawn again whenever it has gone on.

class Work {
  constructor(root, data) {
    this.heard = "";
    this.tries = 0;
    this.link = el("div", { class: "lost", role: "status" });
    this.link.hidden = true;
    root.append(this.link);
    this.stream = listen(`${data.api}/${data.path}/live`, {
      events: { work: (work) => this.take(work) },
      onstate: (state) => this.connection(state),
    });
  }

  // What was dropped meanwhile is drawn without it.
  connection(state) {
    if (state === "gone") this.trigger?.("moved", state);
    else setText(this.link, ["connecting", "live"].includes(state) ? "" : CONNECTION[state]);
  }

  take(work) {
    this.heard = `${work.state} ${work.done}`;
    this.tries = 0;
    if (work.state !== "asked") this.stream.close();
    this.tell();
  }

  update(data, trigger) {
    this.shown = data.shown;
    this.trigger = trigger;
    this.tell();
  }

  // Asked again until what is drawn is what was heard: an asking that comes while a person acts would be lost.
  tell() {
    clearTimeout(this.timer);
    if (!this.heard || this.heard === this.shown || this.tries >= 20) return;
    if (busy()) {
      this.timer = setTimeout(() => this.tell(), 200);
      return;
    }
    this.tries += 1;
    this.trigger("moved", `${this.heard} ${this.tries}`);
    this.timer = setTimeout(() => this.tell(), 500 * this.tries);
  }

  close() {
    clearTimeout(this.timer);
    this.stream.close();
  }
}

const works = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  if (!works.has(parentElement)) works.set(parentElement, new Work(parentElement, data));
  works.get(parentElement).update(data, setTriggerValue);
  return () => {
    works.get(parentElement)?.close();
    works.delete(parentElement);
  };
}
