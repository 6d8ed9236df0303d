// Tells Streamlit where its server is, and holds a page back, once for each loading, until what is in sight of it is there: nothing that was seen is moved then.
(() => {
  // Streamlit looks for its server below the address of each page first, and finds it here only then.
  window.__streamlit = { BACKEND_BASE_URL: `${location.origin}/` };

  const LONGEST = 2000; // ms from its first element on; what is later than that moves others
  const held = document.documentElement.classList;
  const one = (selector) => document.querySelector(selector);
  const inSight = (selector) =>
    [...document.querySelectorAll(selector)].filter((node) => node.checkVisibility() && node.getBoundingClientRect().top < innerHeight);
  let begun = 0;

  // A component's styles are there first, and hide one that shows nothing; what it draws comes with its own script.
  const isDrawn = (host) => (host.shadowRoot?.childElementCount ?? 0) > 1;

  const isWhole = () =>
    one(".stApp[data-test-script-state=notRunning]") !== null &&
    document.fonts.status === "loaded" &&
    inSight("[data-testid=stSkeleton]").length === 0 &&
    inSight("[data-testid=stBidiComponentIsolated]").every(isDrawn);

  const look = (now) => {
    begun ||= one(".stMain .stElementContainer") === null ? 0 : now;
    if (begun && (isWhole() || now - begun > LONGEST)) held.remove("rs-held");
    else requestAnimationFrame(look);
  };

  held.add("rs-held");
  requestAnimationFrame(look);
})();
