// Which functions run more inside a case's timed windows: a kernel against the
// baseline, from the boot of each that counted by function.
import {getJson} from "./api.js";
import {h, table} from "./dom.js";

const shown = 12;
const count = x => Math.round(x).toLocaleString("en-US");
const signed = x => (x > 0 ? "+" : "") + count(x);

/** Functions of both, the largest move first; those that move by nothing are left out. */
export function movers(a, b) {
	const rows = new Map();
	for (const [side, profile] of [["a", a], ["b", b]])
		for (const r of profile.rows) {
			const row = rows.get(r.function) ?? {function: r.function, a: 0, b: 0, calls_a: 0, calls_b: 0};
			row[side] = r.instructions;
			row[`calls_${side}`] = r.calls;
			rows.set(r.function, row);
		}
	return [...rows.values()]
		.filter(r => Math.abs(r.b - r.a) >= .5)
		.sort((x, y) => Math.abs(y.b - y.a) - Math.abs(x.b - x.a));
}

function moverTable(a, b) {
	const all = movers(a, b), rest = all.slice(shown);
	const rows = all.slice(0, shown);
	const sum = side => list => list.reduce((n, r) => n + r[side], 0);
	if (rest.length)
		rows.push({function: `(${rest.length} others)`, a: sum("a")(rest), b: sum("b")(rest)});
	const text = profile => `${profile.kernel}, boot ${profile.boot}`;
	return [
		h("h3", {}, `${b.kernel} against ${a.kernel}: ${signed(b.mean - a.mean)} instructions a window`),
		rows.length ? table(`${text(a)}; ${text(b)}; ${a.phase_pages} pages held`, [
			{head: "Function", cell: r => h("code", {}, r.function)},
			{head: a.kernel, num: true, cell: r => count(r.a)},
			{head: b.kernel, num: true, cell: r => count(r.b)},
			{head: "Move", num: true, cell: r => signed(r.b - r.a)},
			{head: "Calls", num: true, cell: r => r.calls_a === undefined ? null : `${count(r.calls_a)} → ${count(r.calls_b)}`},
		], rows) : h("p", {}, "No function runs more or fewer instructions."),
		h("p", {class: "dim"}, `TLBI executed: ${count(a.tlbi)} → ${count(b.tlbi)}; DSB: ${count(a.dsb)} → ${count(b.dsb)}.`),
	];
}

/** Nothing where no boot counted by function. */
export async function moverNodes(id, args) {
	const [{profiles}, submission] = await Promise.all([
		getJson(`submissions/${id}/profiles?${new URLSearchParams({case: args.get("case")})}`),
		getJson(`submissions/${id}`)]);
	const mine = profiles.filter(p => p.run === 0 && p.board === args.get("board"));
	const base = mine.find(p => p.kernel === submission.baseline);
	const others = mine.filter(p => base && p.kernel !== submission.baseline && p.phase === base.phase);
	return others.length ? [h("h2", {}, "What makes the difference"), others.map(p => moverTable(base, p))] : [];
}
