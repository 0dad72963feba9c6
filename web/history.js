// One history: a plot over the points of a branch, and the same in words.
import uPlot from "./uplot.js";
import {h, replace, table} from "./dom.js";
import {getJson} from "./api.js";
import {interval, percent, quantity, when} from "./format.js";

const SHOWN = 200; // rows of the table of points ...
const BUCKETS = 50; // ... and of buckets
const HEIGHT = 380;

// Of the page that is shown: colours are those of the scheme.
let redrawShown = null;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redrawShown?.());

const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// ---- data

// Columns of one x: the middle of each bucket, or each point; a series a segment, so that
// no line leads over a border.
function layOut(x) {
	const rows = x.bucketed
		? x.buckets.map(b => ({x: (b.from + b.until) / 2, segment: b.segment, y: b.mean, low: b.min, high: b.max, of: b}))
		: x.points.map(p => ({x: p.position, segment: p.segment, y: p.shown, low: null, high: null, of: p}));
	rows.sort((a, b) => a.x - b.x || a.segment - b.segment);
	const at = [...new Set(rows.map(r => r.x))];
	const index = new Map(at.map((v, i) => [v, i]));
	const column = (segment, key) => {
		const c = new Array(at.length).fill(null);
		for (const r of rows)
			if (r.segment === segment)
				c[index.get(r.x)] = r[key];
		return c;
	};
	return {rows, at, index, column};
}

function sizeOf(c) {
	return c.change === null ? "?" : percent(c.change, Math.abs(c.change) < .0995 ? 2 : 1);
}

function worse(c, x) {
	return x.more_is_better ? c.change < 0 : c.change > 0;
}

// ---- drawing

// Environments in turn shaded, behind everything.
function drawSegments(u, x) {
	const {ctx, bbox} = u;
	ctx.save();
	ctx.beginPath();
	ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
	ctx.clip();
	x.segments.forEach((s, i) => {
		const left = u.valToPos(s.first - .5, "x", true), right = u.valToPos(s.last + .5, "x", true);
		if (i % 2) {
			ctx.fillStyle = css("--card");
			ctx.fillRect(left, bbox.top, right - left, bbox.height);
		}
		if (!i)
			return;
		ctx.strokeStyle = css("--dim");
		ctx.lineWidth = devicePixelRatio;
		ctx.setLineDash(s.scale === null || x.segments[i - 1].scale === null ? [2, 3] : []);
		ctx.beginPath();
		ctx.moveTo(left, bbox.top);
		ctx.lineTo(left, bbox.top + bbox.height);
		ctx.stroke();
	});
	ctx.restore();
}

function cross(ctx, left, top, size) {
	ctx.beginPath();
	ctx.moveTo(left - size, top - size);
	ctx.lineTo(left + size, top + size);
	ctx.moveTo(left + size, top - size);
	ctx.lineTo(left - size, top + size);
	ctx.stroke();
}

// Labels take the rows that are free, so that changes beside one another can be read.
function drawMarks(u, x) {
	const {ctx, bbox} = u, dpr = devicePixelRatio, ends = [];
	ctx.save();
	ctx.beginPath();
	ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
	ctx.clip();
	ctx.font = `${12 * dpr}px system-ui, sans-serif`;
	ctx.textBaseline = "top";
	ctx.textAlign = "left";
	const marked = x.changes.filter(c => c.class !== "outlier");
	// With the interval, where there is room.
	const roomy = marked.length * 160 * dpr < bbox.width;
	for (const c of marked) {
		const left = u.valToPos(c.position - .5, "x", true);
		const long = c.low === null ? sizeOf(c) : `${sizeOf(c)} ${interval(c.low, c.high)}`, need = ctx.measureText(long).width + 8 * dpr;
		const fits = Math.max(left - bbox.left, bbox.left + bbox.width - left) > need;
		const text = roomy && fits ? long : sizeOf(c), width = ctx.measureText(text).width;
		const flip = left + width + 8 * dpr > bbox.left + bbox.width;
		const begin = flip ? Math.max(bbox.left, left - width - 4 * dpr) : left + 4 * dpr;
		let row = ends.findIndex(end => end < begin);
		if (row < 0)
			row = ends.length;
		ends[row] = begin + width + 6 * dpr;
		ctx.strokeStyle = ctx.fillStyle = c.class === "transient" ? css("--dim") : css(worse(c, x) ? "--worse" : "--better");
		ctx.lineWidth = 1.5 * dpr;
		ctx.setLineDash(c.class === "transient" ? [4 * dpr, 4 * dpr] : []);
		ctx.beginPath();
		ctx.moveTo(left, bbox.top);
		ctx.lineTo(left, bbox.top + bbox.height);
		ctx.stroke();
		if (row < 8)
			ctx.fillText(text, begin, bbox.top + (4 + 15 * row) * dpr);
	}
	ctx.setLineDash([]);
	ctx.strokeStyle = css("--bad");
	ctx.lineWidth = 2 * dpr;
	for (const position of new Set(x.faults.map(f => f.position)))
		cross(ctx, u.valToPos(position, "x", true), bbox.top + bbox.height - 9 * dpr, 5 * dpr);
	ctx.restore();
}

function rangeOf(layout, x) {
	const ends = [...layout.at, ...x.faults.map(f => f.position)];
	return [Math.min(...ends) - .7, Math.max(...ends) + .7];
}

function draw(target, layout, x, onZoom, onPoint) {
	const colour = css("--link"), fg = css("--fg"), line = css("--line");
	const axis = {stroke: fg, grid: {stroke: line}, ticks: {stroke: line}};
	const data = [layout.at], series = [{}], bands = [];
	x.segments.forEach((_, i) => {
		data.push(layout.column(i, "y"));
		series.push({stroke: colour, width: 1.5, spanGaps: true, points: {show: layout.at.length <= 400, size: 6, fill: colour}});
		if (!x.bucketed)
			return;
		data.push(layout.column(i, "high"), layout.column(i, "low"));
		const edge = {stroke: "transparent", spanGaps: true, points: {show: false}};
		bands.push({series: [series.length, series.length + 1], fill: `color-mix(in srgb, ${colour} 25%, transparent)`});
		series.push(edge, {...edge});
	});
	return new uPlot({
		width: Math.max(target.clientWidth, 280),
		height: HEIGHT,
		legend: {show: false},
		cursor: {drag: {x: true, y: false}, y: false},
		scales: {x: {time: false, range: () => rangeOf(layout, x)}},
		axes: [
			{...axis, label: "point of the branch", space: 80, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5]},
			{...axis, label: x.unit, size: 100, values: (_, v) => v.map(y => quantity(y, x.metric))},
		],
		series, bands,
		hooks: {
			drawClear: [u => drawSegments(u, x)],
			draw: [u => drawMarks(u, x)],
			setSelect: [u => {
				if (u.select.width > 4)
					onZoom(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
			}],
			setCursor: [u => onPoint(u.cursor.idx)],
		},
	}, data, target);
}

// ---- words

function said(row, x) {
	const o = row.of;
	if (x.bucketed)
		return `points ${o.from} to ${o.until}: ${o.points} of them, ${quantity(o.min, x.metric)} to ${quantity(o.max, x.metric)}, mean ${quantity(o.mean, x.metric)}`;
	const change = x.changes.find(c => c.position === o.position && c.segment === o.segment);
	return `point ${o.position}, ${o.commit.slice(0, 12)} ${o.subject ?? ""}: ${quantity(o.shown, x.metric)}` +
		(o.shown === o.value ? "" : ` (measured as ${quantity(o.value, x.metric)})`) +
		(change ? `; ${change.class} ${sizeOf(change)}` : "") + (o.carried ? "; the same binary as the point before" : "");
}

function commitNode(c) {
	return h("code", {title: c.commit}, c.commit.slice(0, 12));
}

function submissionNode(id) {
	return h("a", {href: `#/submission/${id}`}, `#${id}`);
}

function changeTable(x) {
	return table("Newest first; of a board with noise as the points around tell", [
		{head: "#", num: true, cell: c => c.position},
		{head: "Commit", cell: commitNode},
		{head: "Subject", cell: c => c.subject},
		{head: "Class", cell: c => c.class},
		{head: "Before", num: true, cell: c => quantity(c.before, x.metric)},
		{head: "After", num: true, cell: c => quantity(c.after, x.metric)},
		{head: "Change", num: true, cell: c => percent(c.change)},
		{head: "Interval", num: true, cell: c => interval(c.low, c.high)},
		{head: "Score", num: true, cell: c => c.score === null ? "" : c.score < 1e-9 ? "< 1e-9" : c.score.toPrecision(2)},
		{head: "Submission", cell: c => submissionNode(c.submission)},
	], x.changes.toReversed());
}

function faultTable(x) {
	return table("Boots that were thrown out, newest first", [
		{head: "#", num: true, cell: f => f.position},
		{head: "Commit", cell: commitNode},
		{head: "Subject", cell: f => f.subject},
		{head: "Boot", cell: f => h("a", {href: `/api/v1/boots/${f.boot}/console`}, `${f.boot}, its log`)},
		{head: "Submission", cell: f => submissionNode(f.submission)},
		{head: "Why", cell: f => f.why + (f.signature ? ` [${f.signature}]` : "")},
	], x.faults.toReversed());
}

function pointTable(x) {
	const rows = x.points.toReversed().slice(0, SHOWN);
	return table(x.points.length > SHOWN ? `The newest ${SHOWN}` : "Newest first", [
		{head: "#", num: true, cell: p => p.position},
		{head: "Commit", cell: commitNode},
		{head: "Subject", cell: p => p.subject},
		{head: x.segments.length > 1 ? "Measured" : "Number", num: true, cell: p => quantity(p.value, x.metric)},
		...x.segments.length > 1 ? [{head: "Shown", num: true, cell: p => quantity(p.shown, x.metric)}] : [],
		{head: x.deterministic ? "Phases" : "Boots", num: true, cell: p => p.carried ? "same binary" : p.boots},
		{head: "Seen", cell: p => when(p.seen)},
		{head: "Submission", cell: p => submissionNode(p.submission)},
	], rows);
}

function segmentTable(x) {
	return table("Environments, oldest first", [
		{head: "Points", cell: s => `${s.first} to ${s.last}`},
		{head: "Number of them", num: true, cell: s => s.points},
		{head: "Shown", cell: s => s.scale === null ? "as measured: no reference on both sides of the border" : s.scale === 1 ? "as measured" : `times ${s.scale.toFixed(4)}, by the reference`},
		{head: "Class", cell: s => s.class},
		{head: "Environment", cell: s => h("code", {title: s.env}, s.env.slice(0, 12))},
	], x.segments);
}

function bucketTable(x) {
	const step = Math.ceil(x.buckets.length / BUCKETS);
	return table(step > 1 ? `Every ${step}th bucket` : "Buckets of points", [
		{head: "Points", cell: b => `${b.from} to ${b.until}`},
		{head: "Number of them", num: true, cell: b => b.points},
		{head: "Least", num: true, cell: b => quantity(b.min, x.metric)},
		{head: "Mean", num: true, cell: b => quantity(b.mean, x.metric)},
		{head: "Most", num: true, cell: b => quantity(b.max, x.metric)},
	], x.buckets.filter((_, i) => i % step === 0));
}

// ---- the page

// Arrow keys, Home and End go from point to point; what stands there is told.
function withKeys(plot, layout, chart) {
	let at = -1;
	plot.addEventListener("keydown", event => {
		const last = layout.at.length - 1;
		const to = {ArrowLeft: at < 0 ? last : at - 1, ArrowRight: at + 1, Home: 0, End: last}[event.key];
		if (to === undefined)
			return;
		event.preventDefault();
		at = Math.max(0, Math.min(to, last));
		chart().setCursor({left: chart().valToPos(layout.at[at], "x"), top: HEIGHT / 3});
	});
}

export async function showHistory(id, query) {
	const args = new URLSearchParams(query);
	const x = await getJson(`tracks/${id}/history?${args}`);
	const layout = layOut(x);
	const part = args.has("from") || args.has("until");
	const whole = new URLSearchParams(args);
	whole.delete("from");
	whole.delete("until");
	const readout = h("p", {class: "readout", "aria-live": "polite"}, "\u00a0");
	const plot = h("div", {id: "plot", tabindex: "0", role: "group",
		"aria-label": `Plot of ${x.total} points; left and right arrows go from one to the next, the tables below have its figures`});
	let chart = null;
	const zoom = (from, until) => {
		const next = new URLSearchParams(whole);
		next.set("from", Math.max(0, Math.floor(from)));
		next.set("until", Math.max(0, Math.ceil(until)));
		location.hash = `#/track/${id}/history?${next}`;
	};
	const tell = i => replace(readout, i === null || i === undefined ? "\u00a0"
		: layout.rows.filter(r => r.x === layout.at[i]).map(r => said(r, x)).join(" | "));
	const redraw = () => {
		chart?.destroy();
		chart = draw(plot, layout, x, zoom, tell);
	};
	return {
		title: `${x.case} on ${x.branch}`,
		again: false,
		drawn: () => {
			if (!layout.at.length)
				return;
			redraw();
			withKeys(plot, layout, () => chart);
			let width = plot.clientWidth;
			const observer = new ResizeObserver(() => {
				if (!plot.isConnected) {
					observer.disconnect();
				} else if (plot.clientWidth !== width) {
					width = plot.clientWidth;
					chart.setSize({width: Math.max(width, 280), height: HEIGHT});
				}
			});
			observer.observe(plot);
			redrawShown = () => plot.isConnected && redraw();
		},
		nodes: [
			h("p", {}, h("a", {href: `#/track/${id}`}, `← track ${x.branch}`)),
			h("h1", {}, `${x.case} on ${x.board}, along ${x.branch}`),
			h("p", {class: "dim"}, `${x.config ? `${x.config}; ` : ""}${x.total} points${part ? " of a part" : ""}; `,
				x.emulated ? "instructions, emulated: not time" : x.unit,
				x.more_is_better ? "; more is better" : "; less is better",
				part ? ["; ", h("a", {href: `#/track/${id}/history?${whole}`}, "show all")] : "; drag over a part to see it larger"),
			layout.at.length ? [plot, readout] : h("p", {}, "There is no point in this part."),
			h("div", {class: "legend"},
				h("span", {}, h("span", {class: "mark worse"}), "a step for the worse"),
				h("span", {}, h("span", {class: "mark better"}), "for the better"),
				h("span", {}, h("span", {class: "mark transient"}), "undone soon after"),
				h("span", {}, h("span", {class: "mark fault"}, "✕"), "a boot was thrown out"),
				x.bucketed ? h("span", {}, h("span", {class: "mark band"}), "least to most") : null,
				x.segments.length > 1 ? h("span", {}, h("span", {class: "mark shade"}), "another environment") : null),
			h("h2", {}, "Changes"),
			x.changes.length ? changeTable(x) : h("p", {}, "None."),
			x.segments.length > 1 ? [h("h2", {}, "Environments"), segmentTable(x)] : null,
			x.faults.length ? [h("h2", {}, "Faults"), faultTable(x)] : null,
			h("h2", {}, x.bucketed ? "Buckets" : "Points"),
			x.bucketed ? bucketTable(x) : pointTable(x),
		],
	};
}
