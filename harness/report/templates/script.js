(() => {
  "use strict";
  // A box is a stop of the keyboard only while it scrolls.
  const fit = (within) => within.querySelectorAll(".scroll, pre").forEach((box) => {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight + 1;
    if (scrolls) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  });

  const table = document.getElementById("plist");
  const tools = document.querySelector(".tools");
  if (table && tools) {
    const rows = [...table.querySelectorAll("tbody.prompt")];
    const shown = document.getElementById("shown");
    const heads = [...table.querySelectorAll("thead th[data-sort]")];

    // Opening: a button in each row's head; without this script every row stays open.
    const isOpen = (row) => !row.querySelector("tr.open").hidden;
    const setOpen = (row, open) => {
      row.querySelector("tr.open").hidden = !open;
      row.querySelector("button.toggle").setAttribute("aria-expanded", String(open));
      if (open) fit(row);
    };
    rows.forEach((row, index) => {
      const name = row.querySelector(".pid");
      const button = document.createElement("button");
      const inside = row.querySelector("tr.open");
      inside.id = `inside-${index}`;
      button.type = "button";
      button.className = "toggle";
      button.textContent = name.textContent;
      button.setAttribute("aria-controls", inside.id);
      name.replaceChildren(button);
      setOpen(row, false);
      row.querySelector("tr.line").addEventListener("click", (event) => {
        if (event.target.closest("a") || String(getSelection())) return;
        setOpen(row, !isOpen(row));
      });
    });

    // Sorting: a button in each column's head.
    const number = (row, key) => (key in row.dataset ? Number(row.dataset[key]) : null);
    const compare = (key, sign) => (a, b) => {
      const x = number(a, key), y = number(b, key);
      if (x === null || y === null) return (x === null) - (y === null) || number(a, "rank") - number(b, "rank");
      return sign * (x - y) || number(a, "rank") - number(b, "rank");
    };
    const sortBy = (head) => {
      const isUp = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
      rows.sort(compare(head.dataset.sort, isUp ? 1 : -1));
      table.append(...rows);
      const ends = head.dataset.sort === "name" ? ["A to Z", "Z to A"] : ["smallest first", "largest first"];
      shown.textContent = `sorted by ${head.textContent.trim()}, ${ends[isUp ? 0 : 1]}`;
    };
    tools.querySelector("[data-order]").addEventListener("click", () => {
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      rows.sort(compare("rank", 1));
      table.append(...rows);
      shown.textContent = "worst first";
    });
    heads.forEach((head) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sortBy(head));
      head.replaceChildren(button);
    });

    // Filtering.
    const find = document.getElementById("find"), tag = document.getElementById("tag");
    const outcome = document.getElementById("outcome"), side = document.getElementById("side");
    const texts = new Map();
    const textOf = (row) => {
      if (!texts.has(row)) {
        const parts = [row.querySelector("tr.line"), ...row.querySelectorAll(".intent, .asked, .flags, .answers")];
        texts.set(row, parts.map((part) => part.textContent).join(" ").toLowerCase());
      }
      return texts.get(row);
    };
    const hasOutcome = (row) => {
      const arm = side ? side.value : "";
      const flags = row.dataset.flags.split(" ").filter(Boolean).map((flag) => flag.split(":"));
      const groups = flags.filter(([of]) => !arm || of === arm || of === "both").map(([, group]) => group);
      if (outcome.value === "none") return groups.length === 0;
      if (outcome.value === "flagged" || (!outcome.value && arm)) return groups.length > 0;
      return !outcome.value || groups.includes(outcome.value);
    };
    const apply = () => {
      const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      let n = 0;
      for (const row of rows) {
        const hasTag = !tag.value || row.dataset.tags.split(" ").includes(tag.value);
        const fits = hasTag && hasOutcome(row) && words.every((word) => textOf(row).includes(word));
        row.hidden = !fits;
        n += fits ? 1 : 0;
      }
      shown.textContent = `${n} of ${rows.length} prompts`;
    };
    find.addEventListener("input", apply);
    [tag, outcome, side].forEach((choice) => choice && choice.addEventListener("change", apply));
    tools.querySelectorAll("[data-all]").forEach((button) =>
      button.addEventListener("click", () =>
        rows.forEach((row) => { if (!row.hidden) setOpen(row, button.dataset.all === "open"); })));
    tools.hidden = false;

    // A link to a prompt opens it, whatever the filter says.
    const openTarget = () => {
      const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (target && target.matches("tbody.prompt")) {
        target.hidden = false;
        setOpen(target, true);
        target.scrollIntoView();
      }
    };
    addEventListener("hashchange", openTarget);
    openTarget();
  }

  // After the rows are closed: laying all of them out is what takes time.
  const fitShown = () => document.querySelectorAll("main > *").forEach((one) => fit(one));
  fitShown();
  addEventListener("resize", fitShown);
  document.querySelectorAll("details").forEach((one) => one.addEventListener("toggle", () => fit(one)));

  // The contents mark the section in sight.
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const sections = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  const mark = () => {
    const here = sections.filter((section) => section.getBoundingClientRect().top < 140).pop() || sections[0];
    links.forEach((link, id) => {
      if (here && id === here.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  addEventListener("scroll", mark, { passive: true });
  mark();
})();
