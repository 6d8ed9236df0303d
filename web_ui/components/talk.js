// Hears of the questions that are asked in a conversation on another page, and has this one drawn with them.

class Talk {
  constructor(data) {
    this.missing = new Set();
    this.asking = askingAgain({
      wanted: () => this.missing.size > 0,
      ask: (tries) => this.trigger("asked", `${[...this.missing].join(" ")} ${tries}`),
    });
    const after = new URLSearchParams({ stream_id: `conversation/${data.conversation_id}`, after: data.version });
    this.stream = listen(`${data.api}/events/live?${after}`, { events: { milestone: (event) => this.take(event) }, onstate: () => {} });
  }

  take(event) {
    if (event.event_type !== "ai.query.requested") return;
    const id = event.data.question_id;
    if (this.shown?.has(id) || this.missing.has(id)) return; // told again after a new connection
    this.missing.add(id);
    this.asking.anew();
  }

  update(data, trigger) {
    this.shown = new Set(data.questions);
    this.trigger = trigger;
    for (const id of this.missing) if (this.shown.has(id)) this.missing.delete(id);
    this.asking.tell();
  }

  close() {
    this.asking.stop();
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
