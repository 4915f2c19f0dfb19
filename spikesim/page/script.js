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
      const less = Number.isNaN(a[0]) ? a[1].localeCompare(b[1]) : a[0] === b[0] ? 0 : a[0] - b[0];
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

  const COLOURS = { "pre-polar": "#0072B2", "post-polar": "#D55E00", "polar-only": "#888888", "re-polarised": "#009E73" };
  const OTHERS = ["#CC79A7", "#E69F00", "#56B4E9"];
  const DASHES = ["", "7 3", "2 3", "8 3 2 3", "1 2"];
  const marker = (k, x, y, colour) => {
    const style = { fill: "none", stroke: colour, "stroke-width": 1.6 };
    if (k % 4 === 0) return draw("circle", { cx: x, cy: y, r: 4, ...style });
    if (k % 4 === 1) return draw("rect", { x: x - 4, y: y - 4, width: 8, height: 8, ...style });
    const path = k % 4 === 2 ? `M${x} ${y - 5}l5 9h-10z` : `M${x} ${y - 5}l5 5l-5 5l-5-5z`;
    return draw("path", { d: path, ...style });
  };

  const plot = (data, point, at) => {
    const svg = draw("svg", { viewBox: "0 0 420 285", role: "img" });
    const lines = Object.entries(point.lines);
    const numbers = lines.flatMap(([, v]) => v.flatMap((x) => [x[0], x[2]])).filter((x) => x !== null);
    const low = Math.min(0, ...numbers), high = Math.max(data.observable === "alignment" ? 1 : 0, ...numbers, low + 1e-9);
    const ends = [Math.log(point.windows[0]), Math.log(point.windows.at(-1))];
    const px = (t) => 50 + 350 * (ends[1] > ends[0] ? (Math.log(t) - ends[0]) / (ends[1] - ends[0]) : 0.5);
    const py = (v) => 200 - 180 * ((v - low) / (high - low));
    svg.append(draw("path", { d: "M50 15V200H405", fill: "none", stroke: "currentColor" }));
    for (const v of [low, (low + high) / 2, high]) svg.append(draw("text", { x: 45, y: py(v) + 4, "text-anchor": "end" }, shown(v, 2)));
    for (const t of [...new Set([point.windows[0], point.windows.at(-1)])]) svg.append(draw("text", { x: px(t), y: 215, "text-anchor": "middle" }, shown(t, 3)));
    svg.append(draw("text", { x: 227, y: 232, "text-anchor": "middle" }, "window T (steps)"));
    const here = px(point.windows[at]);
    svg.append(draw("path", { d: `M${here} 15V200`, stroke: "currentColor", "stroke-dasharray": "2 3" }));
    lines.forEach(([name, values], k) => {
      const colour = COLOURS[name] ?? OTHERS[k % OTHERS.length];
      const trace = (i) => values.map((v, j) => (v[i] === null ? null : `${px(point.windows[j])} ${py(v[i])}`)).filter((x) => x);
      if (trace(0).length) svg.append(draw("path", { d: `M${trace(0).join("L")}`, fill: "none", stroke: colour, "stroke-width": 1.8, "stroke-dasharray": DASHES[k % DASHES.length] }));
      if (trace(2).length) svg.append(draw("path", { d: `M${trace(2).join("L")}`, fill: "none", stroke: colour, "stroke-width": 0.9 }));
      if (values[at][0] !== null) svg.append(marker(k, here, py(values[at][0]), colour));
      svg.append(marker(k, 20 + 100 * (k % 4), 250 + 16 * Math.floor(k / 4), colour));
      svg.append(draw("text", { x: 30 + 100 * (k % 4), y: 254 + 16 * Math.floor(k / 4) }, name.slice(0, 14)));
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
      svg.setAttribute("aria-label", `Mean ${data.observable} against T at ${where.textContent}: ${[...body.rows].map((r) => [...r.cells].map((c) => c.textContent).join(" ")).join("; ")}`);
      box.querySelector(".plot").replaceChildren(svg);
    };
    update();
  }
})();
