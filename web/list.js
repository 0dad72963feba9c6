import {h, table} from "./dom.js";
import {getJson} from "./api.js";
import {when} from "./format.js";

export const ended = state => ["done", "failed", "cancelled"].includes(state);

export async function showList() {
	const {submissions} = await getJson("submissions?limit=100");
	const columns = [
		{head: "", cell: s => h("a", {href: `#/submission/${s.id}`}, `#${s.id}`)},
		{head: "Title", cell: s => h("a", {href: `#/submission/${s.id}`}, s.title)},
		{head: "State", cell: s => s.state},
		{head: "Baseline", cell: s => s.baseline},
		{head: "Kernels", cell: s => s.kernels.map(k => k.name).filter(n => n !== s.baseline).join(", ")},
		{head: "By", cell: s => s.submitter},
		{head: "Created", cell: s => when(s.created)},
	];
	return {
		title: "Submissions",
		again: submissions.some(s => !ended(s.state)),
		nodes: [
			h("h1", {}, "Submissions"),
			submissions.length ? table("Newest first", columns, submissions)
				: h("p", {}, "Nothing was submitted yet. ", h("code", {}, "foldwatch help submit"), " says how."),
		],
	};
}
