import {h, table} from "./dom.js";
import {getJson, getText} from "./api.js";
import {duration, interval, percent, quantity, verdictMark, verdictWord, when} from "./format.js";
import {ended} from "./list.js";

// What a step counts; of objects the total is the last build's, a guess.
const units = {fetch: "git objects", apply: "patches", checkout: "files", compile: "objects", boot: "cases"};

function counted(a) {
	const unit = units[a.kind === "boot" ? "boot" : a.step] ?? "";
	if (a.total)
		return `, ${a.done} of ${a.step === "compile" ? "about " : ""}${a.total} ${unit}`;
	return a.done ? `, ${a.done} ${unit}` : "";
}

function progressCard(s) {
	const p = s.progress;
	if (!p || ended(s.state))
		return null;
	// The jobs of boots are made once all kernels stand; they are work to come before.
	const total = p.jobs_total + (s.state === "booting" ? 0 : p.boots_total);
	return h("section", {class: "card", "aria-label": "Progress"},
		h("progress", {max: total || 1, value: p.jobs_done, "aria-label": "Jobs done"}),
		` jobs ${p.jobs_done} of ${total}, boots ${p.boots_done} of ${p.boots_total}, cases ${p.cases_done} of ${p.cases_total}; ${duration(p.elapsed_s)}`,
		p.expected_end_s === null ? null : `, about ${duration(p.expected_end_s)} left`,
		h("ul", {}, p.active.length ? p.active.map(a => h("li", {},
			`${a.kind} ${a.kernel ?? ""}${a.board ? ` on ${a.board}` : ""}: ${a.step ?? "starting"}${counted(a)}, ${duration(a.elapsed_s)}`))
			: h("li", {}, "waiting for an agent")));
}

function kernelTable(s) {
	return table(null, [
		{head: "Kernel", cell: k => k.name + (k.name === s.baseline ? " (baseline)" : "") + (k.base_of ? ` (merge base of ${k.base_of})` : "")},
		{head: "State", cell: k => k.state},
		{head: "Commit", cell: k => k.commit ? h("code", {title: k.commit}, k.commit.slice(0, 12)) : null},
		{head: "Subject", cell: k => k.subject},
		{head: "Config", cell: k => k.config},
		{head: "Build-id", cell: k => k.build_id ? h("code", {title: k.build_id}, k.build_id.slice(0, 12)) : null},
		{head: "Why", cell: k => k.why ?? ""},
	], [...s.kernels, ...s.validations.map(v => ({...v, name: `${v.kernel} (validation)`}))]);
}

// Every patch of a series, those that are only built too.
function seriesNodes(s) {
	if (!s.series?.patches.length)
		return [];
	const names = s.series.marks.map(m => `${m.name} at ${m.position}`).join(", ");
	return [h("h2", {}, "Patches"), h("p", {class: "dim"},
		s.series.all ? "Every prefix is booted." : `Booted: ${names ? `${names}, and ` : ""}the tip${s.series.search.steps.length ? ", and steps of the search" : ""}; the others are built only.`),
	table(null, [
		{head: "#", num: true, cell: x => x.position},
		{head: "Subject", cell: x => x.subject},
		{head: "Author", cell: x => x.author},
		{head: "Commit", cell: x => h("code", {title: x.commit}, x.commit.slice(0, 12))},
		{head: "Kernel", cell: x => x.kernel},
		{head: "State", cell: x => x.booted || x.state !== "ready" ? x.state : "builds"},
		{head: "Before", cell: x => x.earlier ? h("a", {href: `#/submission/${x.earlier.submission}`}, `#${x.earlier.submission}, patch ${x.earlier.position}`) : ""},
		{head: "Why", cell: x => x.why ?? ""},
	], s.series.patches),
	s.series.changes.length ? h("ul", {}, s.series.changes.map(c => h("li", {},
		`${c.kernel}, ${c.case} on ${c.board}: ${verdictWord(c.is, c.metric)}, was ${verdictWord(c.was, c.metric)} in submission ${c.submission}`))) : null];
}

const patchesOf = x => x.first === x.last ? `patch ${x.last}` : `patches ${x.first} to ${x.last}`;

function effectTable(s) {
	return table(null, [
		{head: "Patch", cell: x => x.first === x.last ? `${x.last} ${s.series.patches[x.last - 1]?.subject ?? ""}` : patchesOf(x)},
		{head: "Case", cell: x => x.case},
		{head: "Board", cell: x => x.board},
		{head: "Kernel", cell: x => `${x.kernel} against ${x.against}`},
		{head: "Change", num: true, cell: x => percent(x.change)},
		{head: "Interval", num: true, cell: x => interval(x.low, x.high)},
		{head: "Verdict", cell: x => h("span", {class: `verdict ${x.verdict}`}, `${verdictMark(x.verdict)} ${verdictWord(x.verdict, x.metric)}`)},
		{head: "Why not one patch", cell: x => x.why ?? ""},
	], s.series.search.effects);
}

// How far the search is: which intervals were looked into, and the boots of it.
function searchNodes(s) {
	const x = s.series?.search;
	if (!x?.intervals.length)
		return [];
	const words = {
		off: s.series.all ? "Every prefix is booted: there is nothing to search." : "Not searched for: marks and tip alone are booted.",
		waiting: "The search begins when marks and tip are judged.",
		searching: "The search goes on.",
		done: "The search is done.",
		stopped: "The search was stopped.",
	};
	const boots = x.state === "off" || x.state === "waiting" ? "" : ` ${x.steps.length} of at most ${x.steps_max} steps, ${x.boots.search} of ${x.boots.made} boots; every prefix: ${x.boots.all}.`;
	return [h("h2", {}, "Patches that matter"),
		h("p", {class: "dim"}, words[x.state] + boots),
		x.effects.length ? effectTable(s) : h("p", {}, x.state === "done" || x.state === "off" ? "None by a verdict." : "None yet."),
		x.state === "off" ? null : h("ul", {class: "dim"}, x.intervals.map(i => h("li", {},
			`${i.against} to ${i.kernel}, ${i.until - i.after === 1 ? "patch" : "patches"} ${i.until - i.after === 1 ? i.until : `${i.after + 1} to ${i.until}`}: ${i.steps} ${i.steps === 1 ? "step" : "steps"}${i.why ? `; ${i.why}` : ""}`)))];
}

// From the same boots: what the patches between two rows add.
function marginalNodes(s, marginal) {
	const cells = marginal?.cells.filter(c => c.boots) ?? [];
	if (!cells.length)
		return [];
	return [h("h2", {}, "What each group of patches adds"),
		[...new Set(cells.map(c => c.board))].map(board => table(`${board}: each kernel against the one before it`, [
			{head: "Case", cell: c => c.case},
			{head: "Kernel", cell: c => c.kernel},
			{head: "Against", cell: c => c.against},
			{head: "Change", num: true, cell: c => percent(c.change)},
			{head: "Interval", num: true, cell: c => interval(c.low, c.high)},
			{head: "Verdict", cell: c => h("span", {class: `verdict ${c.verdict}`}, `${verdictMark(c.verdict)} ${verdictWord(c.verdict, c.metric)}`)},
			{head: "Why", cell: c => c.why ?? ""},
		], cells.filter(c => c.board === board)))];
}

function cellLink(id, c, text) {
	const query = new URLSearchParams({case: c.case, board: c.board, metric: c.metric});
	return h("a", {href: `#/submission/${id}/cell?${query}`}, text);
}

function cellTable(id, board, cells) {
	const emulated = cells.some(c => c.metric === "instructions");
	const caption = emulated
		? `${board}: positive is more instructions; emulated, not time`
		: `${board}: positive is slower`;
	return [table(caption, [
		{head: "Case", cell: c => cellLink(id, c, c.case)},
		{head: "Kernel", cell: c => c.kernel},
		{head: "Baseline", num: true, cell: c => quantity(c.base_mean, c.metric)},
		{head: "Mean", num: true, cell: c => quantity(c.mean, c.metric)},
		{head: "Change", num: true, cell: c => percent(c.change)},
		{head: "Interval", num: true, cell: c => interval(c.low, c.high)},
		{head: "std_rel", num: true, cell: c => percent(c.std_rel)?.replace("+", "")},
		{head: "Verdict", cell: c => h("span", {class: `verdict ${c.verdict}`}, `${verdictMark(c.verdict)} ${verdictWord(c.verdict, c.metric)}`)},
		{head: emulated ? "Phases" : "Boots", num: true, cell: c => c.boots + (c.invalid_boots ? ` (+${c.invalid_boots} thrown out)` : "")},
		{head: "Why", cell: c => c.why ?? ""},
	], cells), ...[...new Set(cells.flatMap(c => c.footnotes ?? []))].map(f => h("p", {class: "dim footnote"}, `Known fault: ${f}`))];
}

// Before its first boot, and where a build failed, a submission has reasons but no numbers.
function hasNumbers(s, comparison) {
	return comparison?.cells.length && (s.state === "done" || comparison.cells.some(c => c.boots + c.invalid_boots));
}

function comparisonNodes(s, comparison) {
	if (!hasNumbers(s, comparison))
		return [];
	const boards = [...new Set(comparison.cells.map(c => c.board))];
	const thrown = comparison.thrown_out ?? [];
	return [
		h("h2", {}, comparison.complete ? "Comparison" : "Comparison so far"),
		boards.map(b => cellTable(s.id, b, comparison.cells.filter(c => c.board === b))),
		thrown.length ? [h("h2", {}, "Thrown out"),
			h("ul", {}, thrown.map(t => h("li", {}, `${t.kernel} on ${t.board}, boot ${t.boot}: ${t.why}${t.signature ? ` [${t.signature}]` : ""}`)))] : null,
		comparison.notes?.length ? h("ul", {class: "dim"}, comparison.notes.map(n => h("li", {}, n))) : null,
	];
}

function mailNodes(text) {
	return text ? [h("h2", {}, "For a mail"),
		h("p", {}, h("button", {id: "copy", onclick: event => copy(event.target, text)}, "Copy")),
		h("pre", {tabindex: "0", "aria-label": "Tables as text"}, text)] : [];
}

async function copy(button, text) {
	try {
		await navigator.clipboard.writeText(text);
		button.textContent = "Copied";
	} catch {
		button.textContent = "Select the text below and copy it";
	}
}

function jobTable(s) {
	return h("details", {}, h("summary", {}, `Jobs (${s.jobs.length})`), table(null, [
		{head: "Job", cell: j => h("a", {href: `/api/v1/jobs/${j.id}/log?offset=0`}, `#${j.id}`)},
		{head: "What", cell: j => j.summary},
		{head: "State", cell: j => j.state},
		{head: "Agent", cell: j => j.agent},
		{head: "Why", cell: j => j.why ?? ""},
	], s.jobs));
}

export async function showSubmission(id) {
	const s = await getJson(`submissions/${id}`);
	let comparison = null, marginal = null, text = null;
	try {
		comparison = await getJson(`comparisons/${s.id}`);
		if (s.series && s.kernels.length > 2)
			marginal = await getJson(`comparisons/${s.id}?against=previous`);
		if (comparison.complete)
			text = await getText(`comparisons/${s.id}?table=all&format=text`);
	} catch (error) {
		// A submission without a boot has no comparison yet.
		if (s.state === "done")
			throw error;
	}
	return {
		title: `#${s.id} ${s.title}`,
		again: !ended(s.state),
		nodes: [
			h("h1", {}, `#${s.id} ${s.title}`),
			h("p", {class: "dim"}, `${s.state}, submitted ${when(s.created)}`, s.submitter ? ` by ${s.submitter}` : "",
				s.ended ? `, ended ${when(s.ended)}` : ""),
			s.part_of ? h("p", {}, "Cases of ", h("a", {href: `#/submission/${s.part_of}`}, `#${s.part_of}`), " again, in boots of a plan of their own: its numbers are not counted here.") : null,
			s.parts.length ? h("p", {}, "Some of its cases were measured again by themselves: ",
				s.parts.flatMap((id, i) => [i ? ", " : null, h("a", {href: `#/submission/${id}`}, `#${id}`)]), ".") : null,
			s.why ? h("div", {class: "card error"}, s.why) : null,
			progressCard(s),
			comparisonNodes(s, comparison),
			searchNodes(s),
			marginalNodes(s, marginal),
			seriesNodes(s),
			hasNumbers(s, comparison) ? mailNodes(text) : null,
			h("h2", {}, "Kernels"),
			kernelTable(s),
			h("h2", {}, "Work"),
			jobTable(s),
		],
	};
}
