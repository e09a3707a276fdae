/* The boxes that select2 draws in place of a select take over its label: it leaves them nameless
   while nothing is chosen. */
(() => {
  const name = () => {
    for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
      const label = select.labels && select.labels[0] ? select.labels[0].textContent.trim() : "";
      const text = label || select.getAttribute("aria-label") || select.name;
      const drawn = select.parentElement.querySelectorAll(".select2-selection, .select2-selection__rendered");
      for (const part of drawn) {
        if (part.getAttribute("aria-label") !== text) part.setAttribute("aria-label", text);
      }
    }
  };
  document.addEventListener("DOMContentLoaded", () => {
    name();
    new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  });
})();
