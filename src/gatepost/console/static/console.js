// What makes the pages nicer where JavaScript runs; everything works without.
"use strict";
(() => {
  // The reader's zone, so that the next page shows times in it.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  if (zone && !document.cookie.includes(`zone=${zone}`)) {
    document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    // Who asks twice means it: <form data-ask="Delete it?">.
    if (form.dataset.ask && !confirm(form.dataset.ask)) {
      event.preventDefault();
      return;
    }
    // A long answer shows that it is coming; the second click sends nothing twice.
    if (form.method === "post") {
      form.setAttribute("aria-busy", "true");
      setTimeout(() => form.removeAttribute("aria-busy"), 20000);
    }
  });
  // A live table keeps its newest rows.
  for (const table of document.querySelectorAll("table.live tbody")) {
    const most = Math.max(table.rows.length, 50);
    new MutationObserver(() => {
      while (table.rows.length > most) table.deleteRow(-1);
    }).observe(table, { childList: true });
  }
  // A box that leaves only the rows which hold what is typed, and hides a table without rows with its heading.
  document.addEventListener("input", (event) => {
    const box = event.target.closest("[data-filter]");
    if (!box) return;
    for (const row of document.querySelectorAll(box.dataset.filter)) {
      row.hidden = !row.textContent.toLowerCase().includes(box.value.trim().toLowerCase());
    }
    for (const table of document.querySelectorAll("table.checklist")) {
      table.hidden = table.previousElementSibling.hidden = !table.querySelector("tbody tr:not([hidden])");
    }
  });
  // <select data-go> and the like send their form when changed.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-go]")) event.target.form.requestSubmit();
  });
})();
