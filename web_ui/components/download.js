// A file of the API's. The script asks for it, so that a refusal is told in words beside the link; by the link alone it
// would be a download that failed. What is sent while it is made, and may be of any length, the link itself fetches
// then, onto the disk; what takes long to be made is kept as it came, and not made twice.

const nameOf = (reply) => /filename="([^"]+)"/.exec(reply.headers.get("content-disposition") ?? "")?.[1] ?? "";

class Download {
  constructor(root) {
    this.label = el("span");
    this.link = el("a", { class: "button", download: "" }, el("span", { class: "icon", "aria-hidden": "true" }, "download"), this.label);
    this.link.addEventListener("click", (event) => { event.preventDefault(); this.take(); });
    this.say = el("span", { class: "say", role: "status" });
    this.told("", false);
    root.append(el("div", { class: "download" }, this.link, this.say));
  }

  update(data) {
    this.link.setAttribute("href", data.href);
    if (data.title) this.link.setAttribute("title", data.title);
    setText(this.label, data.label);
    this.streamed = data.streamed;
  }

  told(text, bad) {
    setText(this.say, text);
    setClass(this.say, bad ? "say bad" : "say");
  }

  async take() {
    if (this.taking) return;
    this.taking = true;
    this.told("It is being made…", false);
    const asking = new AbortController();
    try {
      const reply = await fetch(this.link.href, { signal: asking.signal });
      if (!reply.ok) return this.told(refusalOf(await reply.text(), "It could not be fetched: try again."), true);
      if (this.streamed) {
        asking.abort();
        this.follow(this.link.href, "");
      } else this.keep(await reply.blob(), nameOf(reply));
      return this.told("", false);
    } catch {
      return this.told("It did not arrive: try again.", true);
    } finally {
      this.taking = false;
    }
  }

  follow(href, name) {
    el("a", { href, download: name }).click();
  }

  keep(blob, name) {
    const href = URL.createObjectURL(blob);
    this.follow(href, name);
    setTimeout(() => URL.revokeObjectURL(href), 60000);
  }
}

const downloads = new WeakMap();

export default function (component) {
  const { data, parentElement } = component;
  if (!downloads.has(parentElement)) downloads.set(parentElement, new Download(parentElement));
  downloads.get(parentElement).update(data);
  return undefined;
}
