// The secret of a link stands behind the `#`, which no server is sent. It is kept for this tab alone, so that it is there
// again when somebody comes back from signing in.

const told = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const place = `repostream-${data.prefix}`;
  const tell = () => {
    const behind = location.hash.slice(1);
    if (behind.startsWith(data.prefix)) {
      sessionStorage.setItem(place, behind);
      if (!data.stays) history.replaceState(history.state, "", location.pathname + location.search);
    }
    const secret = sessionStorage.getItem(place) ?? "";
    if (told.get(parentElement) === secret) return;
    told.set(parentElement, secret);
    setStateValue("secret", secret);
  };
  tell();
  addEventListener("hashchange", tell);  // another link of the same page is no other page
  return () => removeEventListener("hashchange", tell);
}
