// On a page that could not be drawn since the API was away: has it drawn once the API is back.

const NOTHING = 10 ** 9; // events after this one: there are none, and none is wanted

class Back {
  constructor(data) {
    // It ends with the page's being drawn; what else keeps that from it is asked less and less often.
    const ask = (tries) => this.trigger("back", String(tries));
    this.asking = askingAgain({ wanted: () => true, ask, most: 8, pause: (tries) => 500 * 2 ** tries });
    const of = new URLSearchParams({ stream_id: `analysis/${data.analysis_id}`, after: NOTHING });
    this.stream = listen(`${data.api}/events/live?${of}`, { events: {}, onstate: (state) => { if (state === "live") this.asking.tell(); } });
  }

  close() {
    this.asking.stop();
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
