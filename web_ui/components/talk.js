// Hears of the questions that are asked in a conversation on another page, and has this one drawn with them.

class Talk {
  constructor(data) {
    this.missing = new Set();
    this.tries = 0;
    const after = new URLSearchParams({ stream_id: `conversation/${data.conversation_id}`, after: data.version });
    this.stream = listen(`${data.api}/events/live?${after}`, { events: { milestone: (event) => this.take(event) }, onstate: () => {} });
  }

  take(event) {
    if (event.event_type !== "ai.query.requested") return;
    const id = event.data.question_id;
    if (this.shown?.has(id) || this.missing.has(id)) return; // told again after a new connection
    this.missing.add(id);
    this.tries = 0;
    this.tell();
  }

  update(data, trigger) {
    this.shown = new Set(data.questions);
    this.trigger = trigger;
    this.tell();
  }

  // Asked again until it is there: an asking that comes while a person acts would be lost.
  tell() {
    clearTimeout(this.timer);
    for (const id of this.missing) if (this.shown.has(id)) this.missing.delete(id);
    if (!this.missing.size || this.tries >= 20) return;
    const acting = busy();
    if (!acting) {
      this.tries += 1;
      this.trigger("asked", `${[...this.missing].join(" ")} ${this.tries}`);
    }
    this.timer = setTimeout(() => this.tell(), acting ? 200 : 500 * this.tries);
  }

  close() {
    clearTimeout(this.timer);
    this.stream.close();
  }
}

const talks = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  if (!talks.has(parentElement)) talks.set(parentElement, new Talk(data));
  talks.get(parentElement).update(data, setTriggerValue);
  return () => {
    talks.get(parentElement)?.close();
    talks.delete(parentElement);
  };
}
