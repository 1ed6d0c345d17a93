(() => {
  "use strict";
  const list = document.getElementById("plist");
  const tools = document.querySelector(".tools");
  if (!list || !tools) return;
  const prompts = [...list.querySelectorAll("details.prompt")];
  const head = list.querySelector(".phead");

  const number = (row, key) => (key in row.dataset ? Number(row.dataset[key]) : null);
  const compare = (key, sign) => (a, b) => {
    const x = number(a, key), y = number(b, key);
    if (x === null || y === null) return (x === null) - (y === null);
    return sign * (x - y) || number(a, "rank") - number(b, "rank");
  };
  const sortBy = (button) => {
    const was = button.dataset.direction;
    const direction = was === "up" ? "down" : "up";
    head.querySelectorAll("button").forEach((other) => {
      delete other.dataset.direction;
      other.setAttribute("aria-pressed", "false");
    });
    button.dataset.direction = direction;
    button.setAttribute("aria-pressed", "true");
    const rows = [...prompts].sort(compare(button.dataset.sort, direction === "up" ? 1 : -1));
    list.append(...rows);
    shown.textContent = `sorted by ${button.dataset.label}, ${direction === "up" ? "smallest" : "largest"} first`;
  };
  const shown = document.getElementById("shown");
  if (head) {
    head.removeAttribute("aria-hidden");
    head.setAttribute("role", "group");
    head.setAttribute("aria-label", "Sort the prompts");
    head.querySelectorAll("[data-sort]").forEach((cell) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = cell.className;
      button.dataset.sort = cell.dataset.sort;
      button.dataset.label = cell.textContent;
      button.textContent = cell.textContent;
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => sortBy(button));
      cell.replaceWith(button);
    });
    head.querySelector("button").dataset.direction = "up";
    head.querySelector("button").setAttribute("aria-pressed", "true");
  }

  const filter = document.getElementById("filter");
  const trouble = document.getElementById("trouble");
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const row of prompts) {
      const text = row.dataset.text.toLowerCase();
      const fits = words.every((word) => text.includes(word)) && (!trouble.checked || row.dataset.trouble === "1");
      row.hidden = !fits;
      n += fits ? 1 : 0;
    }
    shown.textContent = `${n} of ${prompts.length} prompts`;
  };
  filter.addEventListener("input", apply);
  trouble.addEventListener("change", apply);
  tools.querySelectorAll("[data-all]").forEach((button) =>
    button.addEventListener("click", () =>
      prompts.forEach((row) => { if (!row.hidden) row.open = button.dataset.all === "open"; })));
  tools.hidden = false;

  const openTarget = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (target && target.tagName === "DETAILS") {
      target.hidden = false;
      target.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", openTarget);
  openTarget();

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
