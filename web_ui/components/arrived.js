// What was pressed to come to another page is gone, and the focus with it: who came by the keyboard goes on in the page, not before it.
(() => {
  const MAIN = "[data-testid=stMain]";
  let path = location.pathname;
  let byKeys = false;

  const arrive = () => {
    if (location.pathname === path || document.querySelector(".stApp[data-test-script-state=notRunning]") === null) return;
    path = location.pathname;
    const main = document.querySelector(MAIN);
    if (!byKeys || main === null || document.activeElement !== document.body) return;
    main.tabIndex = -1;
    main.focus({ preventScroll: true });
  };

  document.addEventListener("keydown", () => (byKeys = true), true);
  document.addEventListener("pointerdown", () => (byKeys = false), true);
  const watched = { childList: true, subtree: true, attributes: true, attributeFilter: ["data-test-script-state"] };
  new MutationObserver(arrive).observe(document, watched);
})();
