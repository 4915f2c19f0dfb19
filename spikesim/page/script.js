"use strict";
(() => {
  const make = (name, attributes = {}, text = "") => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = text;
    return node;
  };
  const draw = (name, attributes, text = "") => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = text;
    return node;
  };
  const shown = (x, digits = 4) => (x === null ? "–" : String(Number(x.toPrecision(digits))));

  const sort = (table, column, head) => {
    const rising = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const value = (text) => (text === "inf" ? Infinity : text === "" ? NaN : Number(text.replace(/^[=≤] /, "")));
    const rows = [...table.tBodies[0].rows].map((row) => [value(key(row)), key(row), row]);
    const order = (a, b) => {
      if (Number.isNaN(a[0]) !== Number.isNaN(b[0])) return Number.isNaN(a[0]) ? 1 : -1;
      const less = Number.isNaN(a[0]) ? a[1].localeCompare(b[1], undefined, { numeric: true }) : a[0] === b[0] ? 0 : a[0] - b[0];
      return rising ? less : -less;
    };
    table.tBodies[0].append(...rows.sort(order).map((x) => x[2]));
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = make("button", { type: "button" }, head.textContent);
      button.addEventListener("click", () => sort(table, column, head));
      head.replaceChildren(button);
    });
  }

  for (const button of document.querySelectorAll("button.copy")) {
    const from = document.getElementById(button.dataset.from);
    button.addEventListener("click", async () => {
      const said = button.nextElementSibling;
      try {
        await navigator.clipboard.writeText(from.textContent);
        said.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(from);
        said.textContent = "selected: copy it by hand";
      }
    });
  }

  const DASHES = ["", "7 3", "2 3", "8 3 2 3", "1 2"];
  const COLOURED = ["pre-polar", "post-polar", "polar-only", "re-polarised"];
  const marker = (k, x, y, r, of) => {
    const look = { ...of, "stroke-width": 1.6 };
    if (k % 4 === 0) return draw("circle", { cx: x, cy: y, r, ...look });
    if (k % 4 === 1) return draw("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r, ...look });
    const path = k % 4 === 2 ? `M${x} ${y - r - 1}l${r + 1} ${2 * r + 1}h${-2 * r - 2}z` : `M${x} ${y - r - 1}l${r + 1} ${r + 1}l${-r - 1} ${r + 1}l${-r - 1} ${-r - 1}z`;
    return draw("path", { d: path, ...look });
  };

  const LEFT = 62, RIGHT = 405, TOP = 10, BOTTOM = 210, KEY = 272, ROW = 22;
  const plot = (data, point, at) => {
    const lines = Object.entries(point.lines);
    const svg = draw("svg", { viewBox: `0 0 420 ${KEY + ROW * Math.ceil(lines.length / 2) - 8}`, role: "img" });
    const word = (x, y, text, anchor = "middle", more = {}) => svg.append(draw("text", { x, y, "text-anchor": anchor, ...more }, text));
    const line = (d, more = {}) => svg.append(draw("path", { d, fill: "none", ...more }));
    const numbers = lines.flatMap(([, v]) => v.flatMap((x) => [x[0], x[2]])).filter((x) => x !== null);
    const low = Math.min(0, ...numbers), high = Math.max(data.observable === "alignment" ? 1 : 0, ...numbers, low + 1e-9);
    const ends = [Math.log(point.windows[0]), Math.log(point.windows.at(-1))];
    const px = (t) => LEFT + 12 + (RIGHT - LEFT - 24) * (ends[1] > ends[0] ? (Math.log(t) - ends[0]) / (ends[1] - ends[0]) : 0.5);
    const py = (v) => BOTTOM - (BOTTOM - TOP - 8) * ((v - low) / (high - low));
    line(`M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}`, { stroke: "currentColor" });
    for (const v of [0, 0.25, 0.5, 0.75, 1].map((x) => low + x * (high - low))) {
      line(`M${LEFT - 5} ${py(v)}H${LEFT}`, { stroke: "currentColor" });
      word(LEFT - 9, py(v) + 5, shown(v, 2), "end");
    }
    let free = Infinity;
    for (const t of [...point.windows].reverse()) {
      line(`M${px(t)} ${BOTTOM}v5`, { stroke: "currentColor" });
      const half = 4.5 * shown(t, 3).length + 3;
      if (px(t) + half > free) continue;
      word(px(t), BOTTOM + 20, shown(t, 3), "middle", { class: "tick" });
      free = px(t) - half;
    }
    word((LEFT + RIGHT) / 2, BOTTOM + 40, "window T (steps)");
    word(0, 0, `mean ${data.name}`, "middle", { transform: `translate(15 ${(TOP + BOTTOM) / 2}) rotate(-90)` });
    const here = px(point.windows[at]);
    line(`M${here} ${TOP}V${BOTTOM}`, { stroke: "currentColor", "stroke-dasharray": "2 3" });
    lines.forEach(([name, values], k) => {
      const look = { class: `of${COLOURED.includes(name) ? COLOURED.indexOf(name) : 4 + (k % 3)}` };
      const measured = { ...look, "stroke-width": 2, "stroke-dasharray": DASHES[k % DASHES.length] };
      const trace = (i) => values.map((v, j) => (v[i] === null ? null : `${px(point.windows[j])} ${py(v[i])}`)).filter((x) => x);
      if (trace(0).length) line(`M${trace(0).join("L")}`, measured);
      if (trace(2).length) line(`M${trace(2).join("L")}`, { ...look, "stroke-width": 0.9 });
      values.forEach((v, j) => { if (v[0] !== null) svg.append(marker(k, px(point.windows[j]), py(v[0]), j === at ? 5 : 3, look)); });
      const x = 10 + 205 * (k % 2), y = KEY + ROW * Math.floor(k / 2);
      line(`M${x} ${y}h36`, measured);
      svg.append(marker(k, x + 18, y, 4, look));
      word(x + 44, y + 5, name.length > 20 ? `${name.slice(0, 19)}…` : name, "start");
    });
    return svg;
  };

  for (const box of document.querySelectorAll(".slider")) {
    const data = JSON.parse(box.querySelector(".data").textContent);
    const [controls, where, body] = [".controls", ".where", "tbody"].map((x) => box.querySelector(x));
    const slide = (name) => {
      const label = make("label"), text = make("span"), input = make("input", { type: "range", min: 0, step: 1, max: 0, value: 0, "data-axis": name });
      label.append(text, input);
      controls.append(label);
      input.addEventListener("input", () => update());
      return { input, text, name };
    };
    const axes = data.axes.map((axis) => slide(axis.name));
    axes.forEach((a, k) => { a.input.max = data.axes[k].values.length - 1; });
    const window_ = slide("T");
    window_.input.max = Math.max(...data.points.map((p) => p.windows.length)) - 1;
    const say = (control, text) => {
      control.text.textContent = `${control.name} = ${text}`;
      control.input.setAttribute("aria-valuetext", text);
    };
    const update = () => {
      const at = axes.map((a) => Number(a.input.value));
      const far = (p) => p.at.reduce((sum, x, k) => sum + Math.abs(x - at[k]), 0);
      const point = data.points.reduce((best, p) => (far(p) < far(best) ? p : best));
      axes.forEach((a, k) => { a.input.value = point.at[k]; say(a, data.axes[k].values[point.at[k]]); });
      window_.input.max = point.windows.length - 1;
      const t = Math.min(Number(window_.input.value), point.windows.length - 1);
      say(window_, shown(point.windows[t]));
      const snr = point.snr === null ? "" : `; SNR λ₁/(σ √max(m, n)) = ${shown(point.snr, 3)}`;
      where.textContent = `${point.label}, T = ${shown(point.windows[t])}${snr}`;
      const rows = Object.entries(point.lines).map(([name, values]) => {
        const [mean, error, theory, source] = values[t];
        const row = make("tr");
        row.append(make("th", { scope: "row" }, name), make("td", { class: "n" }, `${shown(mean)} ± ${shown(error, 2)}`),
          make("td", { class: "n" }, theory === null ? "–" : `${shown(theory)} (${source})`));
        return row;
      });
      body.replaceChildren(...rows);
      const svg = plot(data, point, t);
      svg.setAttribute("aria-label", `Mean ${data.name} against T at ${where.textContent}: ${[...body.rows].map((r) => [...r.cells].map((c) => c.textContent).join(" ")).join("; ")}`);
      box.querySelector(".plot").replaceChildren(svg);
    };
    update();
  }
})();
