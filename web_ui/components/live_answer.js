// An answer while it is written: tokens as they come, as plain text. The checked answer takes its place at the end.

const STEPS = {
  searching: () => "Searching the repository…",
  reading: (part) => `Reading ${part.passages ?? 0} passage${part.passages === 1 ? "" : "s"}…`,
  retrying: () => "The model is busy: trying again…",
  looking: (part) => `Step ${part.number}: ${plain(part.tool)}…`,
  passed_over: (part) => `${plain(part.model)} does not answer (${plain(part.code)}): asking the next model…`,
};

const stepLine = (step) =>
  el("li", { class: step.outcome === "ok" ? null : "missed", value: String(step.number) },
    el("span", { class: "tool" }, plain(step.tool)), " ", plain(step.asked), " ",
    el("span", { class: "came" }, `${step.outcome === "ok" ? `${step.found} found` : plain(step.outcome)}, ${Number(step.seconds).toFixed(1)} s`));

class LiveAnswer {
  constructor(root, data) {
    this.ended = false;
    // The read model may be a moment behind the stream: asked again until the page has the answer.
    this.asking = askingAgain({ wanted: () => this.ended, ask: (tries) => this.trigger("ended", String(tries)), most: 40, pause: () => 400 });
    this.began = Date.now();
    this.status = el("div", { class: "status", role: "status" }, "Waiting…");
    this.steps = el("ol", { class: "steps", "aria-label": "Steps" });
    this.taken = new Map(); // by number: a worker that goes on for another tells its steps again
    for (const step of data.steps ?? []) this.step(step);
    this.text = el("div", { class: "text", "aria-live": "polite" });
    root.append(el("div", { class: "writing" }, this.status, this.steps, this.text));
    this.stream = listen(`${data.api}/questions/${data.question_id}/stream`, {
      events: { part: (part, event) => this.part(part, event) },
      onstate: (state, fresh) => this.connection(state, fresh),
      silence: 45000,
    });
  }

  connection(state, fresh) {
    if (this.ended) return;
    if (["lost", "over", "barred", "gone"].includes(state)) this.status.textContent = CONNECTION[state];
    else if (fresh || !this.resumable) this.text.textContent = ""; // told again from the beginning
  }

  part(part, event) {
    this.resumable = event.lastEventId !== "";
    if (part.type === "status") this.status.textContent = (STEPS[part.step] ?? (() => "Working…"))(part);
    else if (part.type === "step") this.step(part);
    else if (part.type === "token") {
      this.status.textContent = "Writing…";
      this.text.append(plain(part.text));
    } else if (part.type === "reset") this.text.textContent = "";
    else if (part.type === "done" || part.type === "failed") this.end();
  }

  step(step) {
    const line = stepLine(step);
    if (this.taken.has(step.number)) this.taken.get(step.number).replaceWith(line);
    else this.steps.append(line);
    this.taken.set(step.number, line);
  }

  end() {
    this.ended = true;
    this.status.textContent = "Checking citations…";
    this.stream.close();
    this.asking.anew();
  }

  close() {
    this.asking.stop();
    this.stream.close();
  }
}

const answers = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  if (!answers.has(parentElement)) answers.set(parentElement, new LiveAnswer(parentElement, data));
  answers.get(parentElement).trigger = setTriggerValue;
  return () => {
    answers.get(parentElement)?.close();
    answers.delete(parentElement);
  };
}
