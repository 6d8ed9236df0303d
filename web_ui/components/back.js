// On a page that could not be drawn since the API was away: has it drawn once the API is back.

const NOTHING = 10 ** 9; // events after this one: there are none, and none is wanted

class Back {
  constructor(data) {
    this.tries = 0;
    const of = new URLSearchParams({ stream_id: `analysis/${data.analysis_id}`, after: NOTHING });
    this.stream = listen(`${data.api}/events/live?${of}`, { events: {}, onstate: (state) => { if (state === "live") this.tell(); } });
  }

  // It ends with the page's being drawn; what else keeps that from it is asked less and less often.
  tell() {
    clearTimeout(this.timer);
    if (this.tries >= 8) return;
    const acting = busy();
    if (!acting) {
      this.tries += 1;
      this.trigger("back", String(this.tries));
    }
    this.timer = setTimeout(() => this.tell(), acting ? 200 : 500 * 2 ** this.tries);
  }

  close() {
    clearTimeout(this.timer);
    this.stream.close();
  }
}

const backs = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  if (!backs.has(parentElement)) backs.set(parentElement, new Back(data));
  backs.get(parentElement).trigger = setTriggerValue;
  return () => {
    backs.get(parentElement)?.close();
    backs.delete(parentElement);
  };
}
