// One question and its answer, built element by element from a tree whose tags come from a closed list.

const TAGS = new Set(["p", "h3", "ul", "ol", "li", "blockquote", "strong", "em", "s", "table", "thead", "tbody", "tr", "th", "td", "code", "br", "hr"]);

const placeText = (place) => `${plain(place.path)}:${place.first}${place.last === place.first ? "" : `-${place.last}`}`;

const chip = (place, label, open) =>
  el("button", { class: "chip", type: "button", title: `Open ${placeText(place)}`, onclick: () => open(place) }, label);

const codeBlock = (node) => {
  const lines = node.lines ?? [];
  const code = el("code", {}, ...lines.flatMap((line, index) => [
    ...(index ? ["\n"] : []), ...line.map(([kind, text]) => (kind ? el("span", { class: `tok-${kind}` }, text) : text)),
  ]));
  return el("pre", { tabindex: "0" }, code);
};

const build = (node, open) => {
  if (typeof node === "string") return document.createTextNode(node);
  const children = () => (node.c ?? []).map((child) => build(child, open));
  if (node.t === "cite") return chip(node, el("span", {}, placeText(node)), open);
  if (node.t === "pre") return codeBlock(node);
  if (node.t === "a" && /^https:\/\//.test(node.href)) {
    return el("a", { href: node.href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children());
  }
  if (!TAGS.has(node.t)) return el("span", {}, ...children());
  if (node.t === "table") return el("div", { class: "wide" }, el("table", {}, ...children()));
  return el(node.t, { start: node.t === "ol" ? node.start : null }, ...children());
};

const passage = (item, open) =>
  el("li", { class: "passage" },
    el("div", { class: "where" }, chip(item, placeText(item), open),
      el("span", { class: "score" }, `score ${item.score}`),
      ...item.ranks.map(([name, rank, own]) => el("span", { class: "rank" }, `${plain(name)} #${rank}${own ? ` (${plain(own)})` : ""}`)),
      ...(item.why ? [el("span", { class: "rank" }, plain(item.why))] : [])),
    item.symbols ? el("div", { class: "symbols" }, plain(item.symbols)) : null,
    el("pre", { class: "snippet", tabindex: "0" }, plain(item.snippet)));

const taken = (step) =>
  el("li", { class: "symbols", value: String(step.number) },
    `${plain(step.tool)} ${plain(step.asked)}: ${step.outcome === "ok" ? `${step.found} found` : plain(step.outcome)}, ${Number(step.seconds).toFixed(1)} s`,
    step.said ? el("div", {}, plain(step.said)) : null);

// What is copied is the answer as Markdown. A page that was not opened securely has no clipboard but the old command.
const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { class: "unseen", readonly: "", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
};

const copyButton = (text) => {
  const button = el("button", { class: "act", type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    button.textContent = (await copy(text)) ? "Copied" : "The browser does not allow it";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  return button;
};

const turning = (attempts, act) =>
  el("span", { class: "turning", role: "group", "aria-label": "Answers to this question" },
    el("button", { class: "act", type: "button", "aria-label": "Earlier answer", disabled: attempts.number > 1 ? null : "", onclick: () => act("earlier") }, "‹"),
    el("span", {}, `Answer ${attempts.number} of ${attempts.count}`),
    el("button", { class: "act", type: "button", "aria-label": "Later answer", disabled: attempts.number < attempts.count ? null : "", onclick: () => act("later") }, "›"));

const rating = (name, label, chosen, act) =>
  el("button", { class: "act", type: "button", "aria-pressed": String(chosen), onclick: () => act(name) }, label);

const buttons = (data, act) =>
  el("div", { class: "acts" },
    data.markdown ? copyButton(data.markdown) : null,
    ...(data.actions?.may_ask
      ? [rating("up", "Helpful", data.actions.rating === 1, act), rating("down", "Not helpful", data.actions.rating === -1, act),
        el("button", { class: "act", type: "button", title: "Have it answered anew; this answer stays", onclick: () => act("again") }, "Answer again")]
      : []),
    data.actions?.count > 1 ? turning(data.actions, act) : null);

// An answer of which something new is told is drawn anew: what a person had opened in it, and where they were with the
// keyboard, is the same after that, and after lines are opened beside it. Kept by answer, as long as the page is loaded.
const KEPT = 10000; // ms in which what was pressed has its effect
const SETTLING = [50, 400, 1200]; // ms after which it is looked at whether that is still in sight
const opened = new Map();
const drawn = new Map();
let touched = null;
let opener = null; // the citation whose lines are beside the answer

// Once lines stand beside the answers, or none do any more.
const onceBeside = (isThere, then) => {
  const until = Date.now() + KEPT;
  const look = () => {
    if ((document.querySelector(".st-key-source") !== null) === isThere) then();
    else if (Date.now() < until) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
};

document.addEventListener("click", (event) => {
  if (!opener || !event.target.closest?.("[class*=st-key-close]")) return;
  touched = { ...opener, at: Date.now() };
  onceBeside(false, () => comeBack(touched.id));
}, { capture: true });

const named = (node) => `${node.className} ${node.getAttribute("aria-label") ?? ""} ${node.textContent}`;
const pressable = (root) => [...root.querySelectorAll("button, summary")];

const keepOf = (root, id) => {
  const keep = (event) => {
    const node = event.target.closest("button, summary");
    if (!node) return;
    const alike = pressable(root).filter((one) => named(one) === named(node));
    touched = { id, name: named(node), place: alike.indexOf(node), at: Date.now() };
    if (event.type !== "click" || !node.classList.contains("chip")) return;
    opener = touched;
    onceBeside(true, () => comeBack(id));
  };
  root.addEventListener("click", keep);
  root.addEventListener("focusin", keep);
  for (const part of root.querySelectorAll("details")) {
    const key = `${id} ${part.className}`;
    part.open = opened.get(key) ?? false;
    part.addEventListener("toggle", () => opened.set(key, part.open));
  }
};

// Nothing is taken from whoever has gone on to another part of the page meanwhile.
const comeBack = (id) => {
  const root = drawn.get(id);
  const host = root?.getRootNode().host;
  const elsewhere = document.activeElement && document.activeElement !== document.body && document.activeElement !== host;
  if (!root || elsewhere || touched?.id !== id || Date.now() - touched.at > KEPT) return;
  const node = pressable(root).filter((one) => named(one) === touched.name)[touched.place];
  node?.focus({ preventScroll: true });
  // The page goes to its end by itself when it grows and its end is in sight.
  for (const wait of node ? SETTLING : []) setTimeout(() => node.matches(":focus") && node.scrollIntoView({ block: "nearest" }), wait);
};

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const open = (place) => setTriggerValue("open", `${place.path}:${place.first}-${place.last}`);
  const act = (name) => setTriggerValue("act", name);
  parentElement.querySelector(".answer")?.remove();
  const root = el("article", { class: "answer" },
    data.mode ? el("div", { class: `mode ${data.mode.tone}` }, data.mode.text) : null,
    data.notice ? el("div", { class: "mode warn", role: "note" }, data.notice) : null,
    el("div", { class: "text" }, ...data.tree.map((node) => build(node, open))),
    data.citations.length
      ? el("div", { class: "cited" }, el("span", { class: "label" }, "Cited"), ...data.citations.map((place) => chip(place, placeText(place), open)))
      : null,
    el("div", { class: "facts" }, ...data.facts.map((fact) => el("span", {}, plain(fact)))),
    data.markdown || data.actions ? buttons(data, act) : null,
    data.steps?.length
      ? el("details", { class: "evidence steps" },
          el("summary", {}, `Steps: ${data.steps.length}`), el("ol", {}, ...data.steps.map(taken)))
      : null,
    data.passages.length
      ? el("details", { class: "evidence" },
          el("summary", {}, `Evidence: ${data.passages.length} passage${data.passages.length === 1 ? "" : "s"}`),
          ...(data.told ?? []).map((line) => el("p", { class: "symbols" }, plain(line))),
          el("ol", {}, ...data.passages.map((item) => passage(item, open))))
      : null);
  parentElement.append(root);
  keepOf(root, data.id);
  drawn.set(data.id, root);
  comeBack(data.id);
  return () => {
    if (drawn.get(data.id) === root) drawn.delete(data.id);
    requestAnimationFrame(() => comeBack(data.id)); // what had the keyboard went only now
  };
}
