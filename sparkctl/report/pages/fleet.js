"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement, body = document.body;

  /* Light and dark: what was chosen is kept where the browser lets a file keep anything. */
  const sheet = byId("dark"), toggle = byId("theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const showTheme = () => { toggle.textContent = isDark() ? "Light" : "Dark"; toggle.setAttribute("aria-label", `Use ${isDark() ? "light" : "dark"} colours`); };
  toggle.hidden = false;
  showTheme();
  toggle.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    root.dataset.theme = theme;
    root.style.colorScheme = theme;
    sheet.media = theme === "dark" ? "all" : "not all";
    try { localStorage.setItem("sparkctl-theme", theme); } catch { /* a file that may keep nothing */ }
    showTheme();
  });

  /* A page does not stay young: from its own limit on it says so, and nothing on it is green any more. */
  const made = new Date(byId("made").dateTime), limit = Number(byId("made").dataset.limit) * 1000;
  const words = (ms) => { const units = [["d", 864e5], ["h", 36e5], ["min", 6e4]]; const unit = units.find(([, length]) => ms >= 2 * length); return unit ? `${Math.floor(ms / unit[1])} ${unit[0]}` : "less than 2 min"; };
  const grow = () => {
    const age = Date.now() - made;
    byId("page-age").textContent = age >= 0 ? `, ${words(age)} ago` : "";
    const old = age > limit;
    root.classList.toggle("old", old);
    byId("old").hidden = !old;
    if (old) byId("old-age").textContent = words(age);
  };
  grow();
  setInterval(grow, 60000);

  /* The table of nodes is what is filtered and sorted; the grid and the pages of nodes follow. */
  if (!byId("all")) return;
  const rows = [...document.querySelectorAll("#all tbody tr")];
  const nodes = rows.map((row) => ({ row, name: row.dataset.n, text: `${row.textContent} ${row.dataset.x}`.toLowerCase(), rack: row.dataset.r, make: row.dataset.m, status: row.dataset.s }));
  const cells = new Map([...document.querySelectorAll("a.c")].map((cell) => [cell.hash.slice(6), cell]));
  const pages = new Map([...document.querySelectorAll("details.node")].map((page) => [page.id.slice(5), page]));
  const bar = byId("bar"), fields = { q: byId("q"), status: byId("status"), rack: byId("rack"), make: byId("make") };
  let sort = "", down = false;
  bar.hidden = false;

  const filter = () => {
    const { q, status, rack, make } = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value]));
    const sought = q.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const node of nodes) {
      const fits = (!status || node.status === status) && (!rack || node.rack === rack) && (!make || node.make === make) && sought.every((word) => node.text.includes(word));
      shown += fits;
      node.row.hidden = !fits;
      cells.get(node.name)?.classList.toggle("out", !fits);
      const page = pages.get(node.name);
      if (page) page.hidden = !fits;
    }
    byId("shown").textContent = shown === nodes.length ? nodes.length === 1 ? "1 node" : `all ${nodes.length} nodes` : `${shown} of ${nodes.length} nodes`;
    byId("clear").hidden = shown === nodes.length;
  };

  const headers = [...document.querySelectorAll("#all thead th")];
  const value = (row, at) => { const cell = row.cells[at], time = cell.querySelector("time"); return cell.dataset.v ?? (time ? time.dateTime : cell.textContent.trim()); };
  const order = () => {
    const at = headers.findIndex((header) => header.dataset.k === sort);
    headers.forEach((header, place) => { if (place === at) header.setAttribute("aria-sort", down ? "descending" : "ascending"); else header.removeAttribute("aria-sort"); });
    const list = [...rows];
    if (at >= 0) {
      const collator = new Intl.Collator("en", { numeric: true });
      list.sort((one, other) => collator.compare(value(one, at), value(other, at)) * (down ? -1 : 1));
    }
    byId("all").tBodies[0].append(...list);
  };
  for (const header of headers) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    header.replaceChildren(button);
    button.addEventListener("click", () => { down = sort === header.dataset.k && !down; sort = header.dataset.k; order(); write(); });
  }

  /* What is shown stands in the address, so that it can be handed on. */
  const write = () => {
    const told = new URLSearchParams();
    for (const [name, field] of Object.entries(fields)) if (field.value) told.set(name, field.value);
    if (sort) told.set("sort", down ? `-${sort}` : sort);
    try { history.replaceState(null, "", told.size ? `#${told}` : "#"); } catch { /* some places let no file do this */ }
  };
  const choose = (field, wanted) => { field.value = wanted; if (field.value !== wanted) field.value = ""; };
  const read = () => {
    const hash = decodeURIComponent(location.hash.slice(1));
    const page = hash.startsWith("node=") ? pages.get(hash.slice(5)) : undefined;
    document.querySelector(".node.here")?.classList.remove("here");
    body.classList.toggle("one", Boolean(page));
    if (page) {
      page.classList.add("here");
      page.hidden = false;
      page.open = true;
      document.title = `${hash.slice(5)} · ${title}`;
      requestAnimationFrame(() => scrollTo({ top: 0, behavior: "instant" }));
      page.querySelector("summary").focus({ preventScroll: true });
      return;
    }
    document.title = title;
    const asked = new URLSearchParams(location.hash.slice(1));
    if (hash && !["q", "status", "rack", "make", "sort"].some((name) => asked.has(name))) return;
    for (const [name, field] of Object.entries(fields)) choose(field, asked.get(name) ?? "");
    const key = asked.get("sort") ?? "";
    down = key.startsWith("-");
    sort = key.replace(/^-/, "");
    filter();
    order();
    if (hash) byId("fleet").scrollIntoView({ behavior: "instant" });
  };
  const title = document.title;
  for (const field of Object.values(fields)) field.addEventListener("input", () => { filter(); write(); });
  byId("clear").addEventListener("click", () => { for (const field of Object.values(fields)) field.value = ""; filter(); write(); fields.q.focus(); });
  bar.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", read);
  addEventListener("load", () => { if (body.classList.contains("one")) scrollTo({ top: 0, behavior: "instant" }); });
  addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !body.classList.contains("one")) { event.preventDefault(); fields.q.focus(); }
    if (event.key === "Escape" && event.target === fields.q) byId("clear").click();
    if (event.key === "Escape" && body.classList.contains("one")) location.hash = "#fleet";
  });
  filter();
  read();
})();
