//<![CDATA[
// SPDX-License-Identifier: MIT
// What the page can do beyond being read: rows are filtered, and the timelines tell their values. Nothing here makes
// markup of text: elements are created and get their text as text.
(function () {
	"use strict";
	function all(selector, of) { return Array.prototype.slice.call((of || document).querySelectorAll(selector)); }
	function make(name, text) {
		var e = document.createElement(name);
		if (text !== undefined) e.textContent = text;
		return e;
	}

	// --- the filter ---
	var rows = all("table.top tbody tr"), sections = all("section.scenario"), chips = all(".chip[data-filter]");
	var wanted = "all", told = make("span"), search = make("input"), classes = make("select");
	// Without any class there is no such column.
	var classAt = all("table.top thead th").map(function (th) { return th.textContent; }).indexOf("class");
	function className(row) { return classAt < 0 ? "" : row.cells[classAt].textContent; }
	function words(e) { return (e.dataset.verdict || "").split(" "); }
	function apply() {
		var text = search.value.toLowerCase(), shown = 0, links = {};
		rows.forEach(function (row) {
			var keep = (wanted === "all" || words(row).indexOf(wanted) >= 0) &&
				(!text || row.textContent.toLowerCase().indexOf(text) >= 0) &&
				(!classes.value || className(row) === classes.value);
			row.hidden = !keep;
			shown += keep;
			if (keep) links[row.querySelector("a").getAttribute("href").slice(1)] = true;
		});
		var open = wanted === "all" && !text && !classes.value;
		sections.forEach(function (s) { s.hidden = !open && !links[s.id]; });
		chips.forEach(function (chip) {
			chip.querySelector("button").setAttribute("aria-pressed", String(chip.dataset.filter === wanted));
		});
		told.textContent = shown + " of " + rows.length + " rows";
	}
	function labelled(text, control) {
		var label = make("label", text + " ");
		label.appendChild(control);
		return label;
	}
	function prepareFilter() {
		var filter = document.getElementById("filter"), names = {};
		if (!filter || !rows.length) return;
		chips.forEach(function (chip) {
			var button = make("button");
			button.type = "button";
			while (chip.firstChild) button.appendChild(chip.firstChild);
			button.addEventListener("click", function () {
				wanted = wanted === chip.dataset.filter ? "all" : chip.dataset.filter;
				apply();
			});
			chip.appendChild(button);
		});
		search.type = "search";
		search.addEventListener("input", apply);
		rows.forEach(function (row) { names[className(row)] = true; });
		classes.appendChild(new Option("all", ""));
		Object.keys(names).sort().forEach(function (name) { if (name) classes.appendChild(new Option(name, name)); });
		classes.addEventListener("change", apply);
		told.setAttribute("role", "status");
		told.className = "aside";
		filter.appendChild(labelled("Search", search));
		if (classes.options.length > 2) filter.appendChild(labelled("Class", classes));
		filter.appendChild(told);
		apply();
	}

	// On a phone the table's cells stand below one another and say what they are.
	all("table.top").forEach(function (table) {
		var heads = all("thead th", table).map(function (th) { return th.textContent; });
		all("tbody tr", table).forEach(function (row) {
			all("td", row).forEach(function (td) {
				var head = heads[td.cellIndex];
				if (head !== "verdict" && head !== "differs" && head !== "class") td.dataset.head = head;
			});
		});
	});

	// A link into a section opens what it is about, and undoes a filter that hides it.
	function arrive() {
		var section = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
		if (!section) return;
		if (section.hidden) {
			wanted = "all";
			search.value = classes.value = "";
			apply();
			section.scrollIntoView();
		}
		var first = section.querySelector("details.result, details.evidence");
		if (first && !section.querySelector("details[open]")) first.open = true;
	}

	// --- timelines ---
	function number(unit, value) {
		var names = unit === "bytes" ? ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] : ["ns", "µs", "ms", "s"];
		var by = unit === "bytes" ? 1024 : 1000, i = 0;
		if (value === 0) return "0";
		if (unit === "count") return value.toLocaleString("en");
		while (value >= by && i + 1 < names.length) { value /= by; i++; }
		return (Math.round(value * 10) / 10) + " " + names[i];
	}
	function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim(); }
	function line(label, points, of, more) {
		var c = colour(of);
		return Object.assign({ label: label, data: points, borderColor: c, backgroundColor: c, borderWidth: 2.5, pointRadius: 3, tension: 0, clip: 6 }, more);
	}
	function points(pairs) { return pairs.map(function (p) { return { x: p[0], y: p[1] }; }); }
	function datasets(data) {
		var list = [line(data.counts, points(data.use), "use", data.use.length > 48 ? { pointRadius: 0 } : {})], flat = { pointRadius: 0, pointHitRadius: 0 };
		if (data.context.length) list.push(line("resident memory", points(data.context), "context", { borderDash: [2, 3], pointRadius: 0 }));
		if (data.bound !== undefined)
			list.push(line("limit", points([[0, data.bound], [data.end, data.bound]]), "limit", Object.assign({ borderDash: [8, 5] }, flat)));
		if (data.moment !== undefined)
			list.push(line(data.outcome, points([[data.moment, 0], [data.moment, data.top]]), "moment", Object.assign({}, flat, { borderWidth: 1.5 })));
		if (data.asked)
			list.push(line("in use and asked", points([[data.moment, data.asked[0]], [data.moment, Math.min(data.asked[1], data.top)]]), "asked", Object.assign({}, flat, { borderWidth: 4 })));
		if (data.events.length)
			list.push({ label: "events", showLine: false, data: data.events.map(function (e) { return { x: e[0], y: 0, text: e[1] }; }),
				pointStyle: "line", rotation: 90, pointRadius: 9, borderWidth: 3, borderColor: colour("moment"), clip: false });
		return list;
	}
	function tip(data, point) {
		if (point.raw.text) return point.raw.text;
		return point.dataset.label + ": " + number(data.unit, point.raw.y);
	}
	// As the drawing has them: powers of two for bytes, else 1, 2 or 5 times a power of ten.
	function marks(unit, max, count) {
		var step = 1, i = 0, list = [];
		while (step * count < max) step *= unit === "bytes" ? 2 : [2, 2.5, 2][i++ % 3];
		for (i = 0; i * step <= max; i++) list.push({ value: i * step });
		return list;
	}
	function axis(data) {
		var scale = { grid: { color: colour("line") }, ticks: { color: colour("soft"), maxRotation: 0 }, border: { color: colour("line") } };
		var x = Object.assign({}, scale, { type: "linear", min: 0, max: data.end }), y = Object.assign({}, scale, { min: 0, max: data.top });
		x.ticks = Object.assign({ callback: function (v) { return number("ns", v); } }, scale.ticks);
		y.ticks = Object.assign({ callback: function (v) { return number(data.unit, v); } }, scale.ticks);
		x.afterBuildTicks = function (a) { a.ticks = marks("ns", data.end, 6); };
		y.afterBuildTicks = function (a) { a.ticks = marks(data.unit, data.top, 4); };
		return { x: x, y: y };
	}
	function draw(figure) {
		var script = figure.querySelector("script"), plot = figure.querySelector(".plot"), data = JSON.parse(script.textContent);
		if (!data) return;
		var box = make("div"), canvas = make("canvas"), reading = make("p");
		box.className = "canvas";
		reading.className = "reading";
		reading.setAttribute("aria-live", "polite");
		canvas.tabIndex = 0;
		canvas.setAttribute("role", "img");
		canvas.setAttribute("aria-label", plot.querySelector("svg").getAttribute("aria-label") + ". Left and right arrow keys read the values.");
		box.appendChild(canvas);
		plot.appendChild(box);
		plot.appendChild(reading);
		figure.classList.add("live");
		var chart = new Chart(canvas, {
			type: "line",
			data: { datasets: datasets(data) },
			options: {
				animation: false, maintainAspectRatio: false, scales: axis(data), interaction: { mode: "nearest", axis: "x", intersect: false },
				plugins: {
					legend: { display: false },
					tooltip: { callbacks: { title: function (p) { return p.length ? number("ns", p[0].raw.x) : ""; }, label: function (p) { return tip(data, p); } } }
				}
			}
		});
		var at = -1;
		canvas.addEventListener("keydown", function (event) {
			var step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
			if (!step) return;
			event.preventDefault();
			at = Math.max(0, Math.min(data.use.length - 1, at + step));
			var active = [{ datasetIndex: 0, index: at }];
			chart.setActiveElements(active);
			chart.tooltip.setActiveElements(active, { x: 0, y: 0 });
			chart.update();
			reading.textContent = number("ns", data.use[at][0]) + ": " + number(data.unit, data.use[at][1]);
		});
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () {
			chart.data.datasets = datasets(data);
			chart.options.scales = axis(data);
			chart.update();
		});
	}
	function prepareTimelines() {
		if (typeof Chart === "undefined" || typeof IntersectionObserver === "undefined") return;
		var seen = new IntersectionObserver(function (entries) {
			entries.forEach(function (entry) {
				if (!entry.isIntersecting) return;
				seen.unobserve(entry.target);
				draw(entry.target);
			});
		}, { rootMargin: "200px" });
		all("figure.timeline").forEach(function (figure) { seen.observe(figure); });
	}

	// Paper has no summary to click.
	addEventListener("beforeprint", function () {
		all("details:not([open])").forEach(function (d) { d.open = true; d.dataset.printed = ""; });
	});
	addEventListener("afterprint", function () {
		all("details[data-printed]").forEach(function (d) { d.open = false; delete d.dataset.printed; });
	});

	prepareFilter();
	prepareTimelines();
	addEventListener("hashchange", arrive);
	arrive();
})();
//]]>
