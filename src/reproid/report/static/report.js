// Conveniences only: the pages read the same without this file.
"use strict";

// Sort a table by a column: words from A, numbers from the largest; a second press turns the order round. Empty cells stay last.
function sortTable(table, index, header) {
  const body = table.tBodies[0];
  const key = (row) => {
    const cell = row.cells[index];
    const text = cell.dataset.sort ?? cell.textContent.trim();
    return text === "" ? null : Number.isNaN(Number(text)) ? text : Number(text);
  };
  const numeric = [...body.rows].some((row) => typeof key(row) === "number");
  const before = header.getAttribute("aria-sort");
  const ascending = before === null ? !numeric : before === "descending";
  const order = (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === null || y === null) return (x === null) - (y === null);
    const sign = ascending ? 1 : -1;
    return sign * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y)));
  };
  body.append(...[...body.rows].sort(order));
  table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  const rows = [...table.tHead.rows];
  const spanning = [...rows[0].cells].filter((cell) => cell.rowSpan > 1);
  const heads = rows.length > 1 ? [...spanning, ...rows[rows.length - 1].cells] : [...rows[0].cells];
  heads.forEach((header, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.title = "Sort by this column";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sortTable(table, index, header));
  });
}

// A button that copies a command.
for (const block of document.querySelectorAll("pre[data-copy]")) {
  const button = document.createElement("button");
  const text = block.textContent;
  button.type = "button";
  button.className = "copy";
  button.textContent = "copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  });
  block.append(button);
}
