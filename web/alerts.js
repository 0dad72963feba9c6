// Alerts: what asks for somebody, and the story of one.
import {h, table} from "./dom.js";
import {getJson} from "./api.js";
import {interval, percent, quantity, when} from "./format.js";

const filters = [["", "All"], ["open", "Open"], ["new", "New"], ["confirmed", "Confirmed"],
	["not_reproduced", "Not reproduced"], ["acknowledged", "Acknowledged"], ["fixed", "Fixed"],
	["dismissed", "Dismissed"], ["recovered", "Recovered"]];

function boards(a) {
	return [...new Set(a.cells.map(c => c.board))].join(", ");
}

function filterLinks(state) {
	return h("p", {}, filters.map(([word, text], i) => [i ? " · " : null,
		word === state ? h("strong", {}, text) : h("a", {href: word ? `#/alerts?state=${word}` : "#/alerts"}, text)]));
}

export async function showAlerts(query) {
	const state = new URLSearchParams(query ?? "").get("state") ?? "";
	const {quality: q} = await getJson("marks?limit=1");
	const {alerts} = await getJson(`alerts?limit=200${state ? `&state=${encodeURIComponent(state)}` : ""}`);
	const columns = [
		{head: "", cell: a => h("a", {href: `#/alert/${a.id}`}, `#${a.id}`)},
		{head: "State", cell: a => a.state.replace("_", " ") + (a.muted ? " (muted)" : "")},
		{head: "What", cell: a => h("a", {href: `#/alert/${a.id}`}, a.title)},
		{head: "Boards", cell: boards},
		{head: "Owner", cell: a => a.owner},
		{head: "Since", cell: a => when(a.created)},
	];
	return {
		title: "Alerts",
		again: false,
		nodes: [h("h1", {}, "Alerts"), filterLinks(state),
			alerts.length ? table("Newest first", columns, alerts) : h("p", {}, state ? "None." : "Nothing was slower, and no boot showed a fault."),
			q.alerts + q.missed ? h("p", {}, `Of all ${q.alerts} alerts of slower kernels and faults ${q.confirmed} were confirmed and ${q.not_reproduced} not reproduced; `
				+ `${q.wrong} marked as wrong, ${q.missed} marked as missed.`) : null,
			h("p", {}, h("a", {href: `/feeds/alerts.atom${state ? `?state=${encodeURIComponent(state)}` : ""}`}, "Atom feed"))],
	};
}

function side(s) {
	return s ? [s.name, s.ref && s.ref !== s.commit ? `, ${s.ref}` : null, s.commit ? [" ", h("code", {title: s.commit}, s.commit.slice(0, 12))] : null,
		s.subject ? ` ${s.subject}` : null] : null;
}

function facts(a) {
	return table(null, [{head: "", cell: r => r[0]}, {head: "", cell: r => r[1]}], [
		["State", a.state.replace("_", " ") + (a.muted ? ", muted: it is not told" : "")],
		["Owner", a.owner],
		["Kernel", side(a.kernel)],
		["Baseline", side(a.baseline)],
		["Signature", a.signature ? h("code", {}, a.signature) : null],
		["Submission", a.submission ? h("a", {href: `#/submission/${a.submission}`}, `#${a.submission}`) : null],
	].filter(r => r[1]));
}

function cellTable(a) {
	if (a.kind === "fault")
		return table("The first boot of each board", [
			{head: "Board", cell: c => c.board},
			{head: "Boot", cell: c => h("a", {href: `/api/v1/boots/${c.boot}/console`}, `${c.boot}, its log`)},
		], a.cells);
	return table(a.cells.some(c => c.metric === "instructions") ? "Positive is worse; counts of instructions are emulated, not time"
		: "Positive is worse", [
		{head: "Board", cell: c => c.board},
		{head: "Case", cell: c => h("a", {href: `#/submission/${c.submission}/cell?${new URLSearchParams({case: c.case, board: c.board, metric: c.metric})}`}, c.case)},
		{head: "Metric", cell: c => c.metric},
		{head: "Baseline", num: true, cell: c => quantity(c.base_mean, c.metric)},
		{head: "Mean", num: true, cell: c => quantity(c.mean, c.metric)},
		{head: "Change", num: true, cell: c => percent(c.change)},
		{head: "Interval", num: true, cell: c => interval(c.low, c.high)},
		{head: "", cell: c => c.mute ? `mute ${c.mute}` : ""},
	], a.cells);
}

function commit(c) {
	return [h("code", {title: c.commit}, c.commit.slice(0, 12)), ` ${c.subject}, ${c.author}`];
}

function confidence(p) {
	return p === null ? null : p > 0.9999 ? "over 0.9999" : p.toFixed(4);
}

// The search for the commit: what it came to, and what each step rests on.
function bisection(b) {
	const found = b.culprit;
	return [h("h2", {}, "Bisection"),
		table(null, [{head: "", cell: r => r[0]}, {head: "", cell: r => r[1]}], [
			["State", b.state.replace("_", " ")],
			["Commits", `${b.commits} behind ${b.good.slice(0, 12)}, up to ${b.bad.slice(0, 12)}`],
			["Decided by", b.case ? `${b.case} on ${b.board}` : `whether boots on ${b.board} show it`],
			["Culprit", found ? commit(found) : null],
			["Or", b.or.length ? b.or.map(c => h("div", {}, commit(c))) : null],
			["Note", b.shared ? "Several commits share the change; with this one it is past its half." : null],
			["Why", !found && b.why ? h("span", {class: "text"}, b.why) : null],
			["Confidence", confidence(b.confidence)],
			["Boots", `${b.boots} in ${b.steps} step${b.steps === 1 ? "" : "s"}; ${b.boots_plain} by a plain bisection, ${b.boots_every} for every commit`],
			["Both ends", b.ends ? h("a", {href: `#/submission/${b.ends}`}, `#${b.ends}`) : null],
			["Proof", b.proof ? h("a", {href: `#/submission/${b.proof}`}, `#${b.proof}, the commit against what is before it`) : null],
		].filter(r => r[1])),
		b.table.length ? table("0 is the good end's level, 1 the bad end's", [
			{head: "Step", num: true, cell: s => s.number},
			{head: "Commit", cell: s => [h("code", {title: s.commit}, s.commit.slice(0, 12)), ` ${s.subject}`]},
			{head: "Submission", cell: s => s.submission ? h("a", {href: `#/submission/${s.submission}`}, `#${s.submission}`) : null},
			{head: "Answer", cell: s => s.outcome ?? "runs"},
			{head: "Boots", num: true, cell: s => s.boots},
			{head: "Used", num: true, cell: s => s.used ?? ""},
			{head: "Level", num: true, cell: s => s.level === null ? "" : s.level.toFixed(2)},
			{head: "ln LR", num: true, cell: s => s.llr === null ? "" : s.llr.toFixed(1)},
			{head: "Why", cell: s => h("span", {class: "text"}, s.why ?? "")},
		], b.table) : null];
}

function step(s) {
	return s.from === s.to ? "note" : s.to.replace("_", " ");
}

export async function showAlert(id) {
	const a = await getJson(`alerts/${id}`);
	const b = a.bisection ? await getJson(`alerts/${id}/bisection`) : null;
	return {
		title: `Alert ${a.id}`,
		again: false,
		nodes: [
			h("h1", {}, `Alert ${a.id}: ${a.title}`), facts(a),
			h("h2", {}, "Where it shows"), cellTable(a),
			b ? bisection(b) : null,
			h("h2", {}, "Story"),
			table(null, [
				{head: "When", cell: s => when(s.at)},
				{head: "Who", cell: s => s.by ?? "foldwatch"},
				{head: "Step", cell: step},
				{head: "Why", cell: s => h("span", {class: "text"}, s.why)},
			], a.steps),
			a.marks.length ? [h("h2", {}, "Marks"), table(null, [
				{head: "When", cell: m => when(m.at)},
				{head: "Who", cell: m => m.by},
				{head: "Mark", cell: m => m.mark},
				{head: "Why", cell: m => h("span", {class: "text"}, m.why)},
			], a.marks)] : null,
			a.told.length ? [h("h2", {}, "Told"), table(null, [
				{head: "Subscription", cell: l => l.subscription},
				{head: "Channel", cell: l => l.channel},
				{head: "Step", cell: l => a.steps.filter(s => s.id === l.step).map(step).join("")},
				{head: "State", cell: l => l.state},
				{head: "Tries", num: true, cell: l => l.attempts},
				{head: "When", cell: l => when(l.ended ?? l.next)},
				{head: "Why", cell: l => l.why ?? ""},
			], a.told)] : null,
			h("p", {class: "dim"}, h("code", {}, `foldwatch alerts ack ${a.id} --why TEXT`), " says that you look after it."),
		],
	};
}
