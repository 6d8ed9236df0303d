// An archive or a bundle, dropped or chosen, is sent to the API as it is read from the disk: neither the page nor its server holds it.

const sized = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(1)} MB`);

const LOST = "The upload did not arrive: try again.";

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  if (parentElement.uploadBox) return undefined;
  const input = el("input", { type: "file", accept: data.types, hidden: "", "aria-label": data.name });
  const say = el("span", { class: "say", role: "status" });
  const pick = el("button", { class: "pick", type: "button" }, data.choose);
  const bar = el("progress", { max: "1", "aria-label": "Uploaded" });
  const box = el("div", { class: "drop" }, pick, say, input, bar);
  let request = null;

  const rest = (text, bad) => {
    request = null;
    bar.hidden = true;
    setText(pick, data.choose);
    setText(say, text);
    setClass(say, bad ? "say bad" : "say");
  };
  const send = (file) => {
    if (request || !file) return;
    request = new XMLHttpRequest();
    request.open("POST", data.named ? `${data.to}?name=${encodeURIComponent(file.name.slice(-200))}` : data.to);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => {
      bar.value = event.loaded / Math.max(1, event.total);
      setText(say, `${plain(file.name)}: ${sized(event.loaded)} of ${sized(file.size)}`);
    };
    const ended = request;
    ended.onload = () => {
      if (ended.status >= 300) return rest(refusalOf(ended.responseText, LOST), true);
      rest(`${plain(file.name)} is there.`, false);
      return setTriggerValue("uploaded", ended.responseText);
    };
    ended.onerror = () => rest(LOST, true);
    ended.onabort = () => rest(data.hint, false);
    bar.value = 0;
    bar.hidden = false;
    setText(pick, "Stop");
    setText(say, plain(file.name));
    setClass(say, "say");
    request.send(file);
  };

  pick.addEventListener("click", () => (request ? request.abort() : input.click()));
  input.addEventListener("change", () => {
    send(input.files[0]);
    input.value = "";
  });
  for (const name of ["dragenter", "dragover"]) {
    box.addEventListener(name, (event) => {
      event.preventDefault();
      setClass(box, "drop over");
    });
  }
  box.addEventListener("dragleave", () => setClass(box, "drop"));
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    setClass(box, "drop");
    send(event.dataTransfer.files[0]);
  });
  rest(data.hint, false);
  parentElement.uploadBox = box;
  parentElement.append(box);
  return () => {
    if (request) request.abort();
    parentElement.uploadBox = null;
    box.remove();
  };
}
