// Listens to a piece of work that services do, and has what tells of it drawn again whenever it has gone on.

class Work {
  constructor(root, data) {
    this.heard = "";
    this.asking = askingAgain({
      wanted: () => this.heard !== "" && this.heard !== this.shown,
      ask: (tries) => this.trigger("moved", `${this.heard} ${tries}`),
    });
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
    if (work.state !== "asked") this.stream.close();
    this.asking.anew();
  }

  update(data, trigger) {
    this.shown = data.shown;
    this.trigger = trigger;
    this.asking.tell();
  }

  close() {
    this.asking.stop();
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
