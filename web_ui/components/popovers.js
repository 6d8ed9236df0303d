// What a button unfolds beside the page stands at the end of the document: the keyboard goes there, and comes back.
(() => {
  const BODY = "[data-testid=stPopoverBody]";
  const openers = new WeakMap();

  // Before its first control, which may be the one that deletes: whoever presses Enter twice has not meant that.
  const enter = (body) => {
    const opener = document.activeElement;
    if (!opener?.matches("[data-testid=stPopover] button:focus-visible")) return;
    openers.set(body, opener);
    body.tabIndex = -1;
    requestAnimationFrame(() => body.focus({ preventScroll: true })); // it is moved to its place first
  };

  const leave = (body) => {
    const opener = openers.get(body);
    if (opener?.isConnected && document.activeElement === document.body) opener.focus();
  };

  const bodiesIn = (nodes) =>
    [...nodes].filter((node) => node.nodeType === Node.ELEMENT_NODE).flatMap((node) => [...(node.matches(BODY) ? [node] : []), ...node.querySelectorAll(BODY)]);

  new MutationObserver((changes) => {
    for (const change of changes) {
      bodiesIn(change.addedNodes).forEach(enter);
      bodiesIn(change.removedNodes).forEach(leave);
    }
  }).observe(document, { childList: true, subtree: true });
})();
