// The raw samples of one cell as a strip plot: every sample a dot, a column a
// boot, kernels side by side.
import uPlot from "./uplot.js";
import {h, table} from "./dom.js";
import {getJson} from "./api.js";
import {percent, quantity} from "./format.js";
import {moverNodes} from "./movers.js";

const colours = ["#2b7fb8", "#d1622b", "#3c9a5f", "#9159b8", "#b8942b", "#c2447a"];

// Columns in the order of the kernels, boots within; each sample keeps its
// place in its run, so that a drift inside a run is seen as a slope.
function layOut(rows) {
	const kernels = [...new Set(rows.map(r => r.kernel))];
	const points = [], ticks = [];
	let column = 0;
	for (const [index, kernel] of kernels.entries()) {
		const mine = rows.filter(r => r.kernel === kernel);
		const boots = [...new Set(mine.map(r => r.boot))];
		for (const boot of boots) {
			const samples = mine.filter(r => r.boot === boot)
				.flatMap(r => (r.samples ?? []).map((y, i) => ({y, warm: i < r.warmup, valid: r.valid})));
			samples.forEach((s, i) => points.push({x: column + (i + 1) / (samples.length + 1), kernel: index, boot, ...s}));
			ticks.push({x: column + .5, label: `${mine.find(r => r.boot === boot).phase ?? ""}`});
			column++;
		}
		column++;
	}
	points.sort((a, b) => a.x - b.x);
	return {kernels, points, ticks, width: Math.max(column - 1, 1)};
}

function draw(target, layout, metric, warm) {
	const {kernels, points, ticks} = layout;
	const shown = points.filter(p => warm || !p.warm);
	const series = kernels.map((_, k) => [
		shown.map(p => p.kernel === k && p.valid && !p.warm ? p.y : null),
		shown.map(p => p.kernel === k && (!p.valid || p.warm) ? p.y : null)]).flat();
	const style = getComputedStyle(document.documentElement);
	const fg = style.getPropertyValue("--fg"), line = style.getPropertyValue("--line");
	const axis = {stroke: fg, grid: {stroke: line}, ticks: {stroke: line}};
	const dots = (k, hollow) => ({
		label: kernels[k] + (hollow ? " (left out)" : ""),
		paths: () => null,
		stroke: colours[k % colours.length],
		points: {show: true, size: 6, width: 1.5, stroke: colours[k % colours.length], fill: hollow ? "transparent" : colours[k % colours.length]},
	});
	return new uPlot({
		width: Math.max(target.clientWidth, 320),
		height: 360,
		legend: {show: false},
		cursor: {drag: {x: false, y: true}},
		scales: {x: {time: false, range: [-.3, layout.width + .3]}, y: {}},
		axes: [
			{...axis, label: "phase or boot", splits: () => ticks.map(t => t.x), values: () => ticks.map(t => t.label), grid: {show: false}},
			{...axis, label: metric, size: 110, values: (_, v) => v.map(x => quantity(x, metric))},
		],
		series: [{}, ...kernels.flatMap((_, k) => [dots(k, false), dots(k, true)])],
	}, [shown.map(p => p.x), ...series], target);
}

function summary(rows, metric) {
	const kernels = [...new Set(rows.map(r => r.kernel))];
	return table("Samples that count (after warm-up, of valid runs)", [
		{head: "Kernel", cell: k => k.name},
		{head: "Boots", num: true, cell: k => k.boots},
		{head: "Samples", num: true, cell: k => k.values.length},
		{head: "Least", num: true, cell: k => quantity(k.values[0], metric)},
		{head: "Median", num: true, cell: k => quantity(k.values[k.values.length >> 1], metric)},
		{head: "Most", num: true, cell: k => quantity(k.values.at(-1), metric)},
	], kernels.map(name => {
		const mine = rows.filter(r => r.kernel === name && r.valid);
		return {
			name,
			boots: new Set(mine.map(r => r.boot)).size,
			values: mine.flatMap(r => (r.samples ?? []).slice(r.warmup)).sort((a, b) => a - b),
		};
	}));
}

// What a PMU counted behind the timed windows, of the cells that have it.
function covariateNodes(cells, baseline) {
	const rows = cells.flatMap(x => x.covariates.map(v => ({kernel: x.kernel, ...v})));
	return rows.length ? [h("h2", {}, "Counted beside the time"), table("A window of a separate pass, mean over boots", [
		{head: "Kernel", cell: v => v.kernel},
		{head: "Counter", cell: v => v.name},
		{head: baseline, num: true, cell: v => quantity(v.base_mean, "")},
		{head: "This kernel", num: true, cell: v => quantity(v.mean, "")},
		{head: "Change", num: true, cell: v => percent(v.change)},
	], rows)] : [];
}

export async function showCell(id, query) {
	const args = new URLSearchParams(query);
	const metric = args.get("metric") ?? "ns";
	const [{rows}, moved] = await Promise.all([getJson(`submissions/${id}/samples?${args}`), moverNodes(id, args)]);
	// Of one window, as every number is, where a sample holds several.
	for (const r of rows)
		if (r.windows > 1)
			r.samples = r.samples?.map(v => v / r.windows);
	const comparison = await getJson(`comparisons/${id}`);
	const cells = comparison.cells.filter(x => x.case === args.get("case") && x.board === args.get("board") && x.metric === metric);
	const notes = [...new Set(comparison.rows
		.filter(r => r.case === args.get("case") && r.board === args.get("board") && r.metric === metric)
		.flatMap(r => r.footnotes))];
	const layout = layOut(rows);
	const plot = h("div", {id: "plot", role: "img", "aria-label": `Strip plot of ${layout.points.length} samples; the table below has its figures`});
	let chart = null;
	const redraw = warm => {
		chart?.destroy();
		chart = draw(plot, layout, metric, warm);
	};
	const warmBox = h("input", {type: "checkbox", id: "warm", onchange: event => redraw(event.target.checked)});
	return {
		title: args.get("case"),
		again: false,
		drawn: () => {
			if (layout.points.length)
				redraw(false);
		},
		nodes: [
			h("p", {}, h("a", {href: `#/submission/${id}`}, `← submission #${id}`)),
			h("h1", {}, `${args.get("case")} on ${args.get("board")}`),
			h("p", {class: "dim"}, metric === "ns" ? "Time of each iteration." : "Instructions of each iteration; emulated, not time."),
			layout.points.length ? null : h("p", {}, "No samples: every run was skipped or invalid."),
			h("div", {class: "legend"}, layout.kernels.map((k, i) => {
				const dot = h("span", {class: "swatch"});
				dot.style.background = colours[i % colours.length];
				return h("span", {}, dot, k);
			}), h("span", {}, h("span", {class: "swatch hollow"}), "left out: warm-up, or an invalid run or boot"),
			h("label", {for: "warm"}, warmBox, " show warm-up")),
			plot,
			summary(rows, metric),
			notes.map(f => h("p", {class: "dim"}, `Known fault: ${f}`)),
			covariateNodes(cells, comparison.baseline),
			moved,
		],
	};
}
