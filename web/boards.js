import {h, table} from "./dom.js";
import {getJson} from "./api.js";
import {when} from "./format.js";

// The pinned kernel that it boots every night.
function referenceOf(r) {
	if (!r)
		return null;
	const missed = r.missed ? `, ${r.missed} ${r.missed === 1 ? "night" : "nights"} missed` : "";
	return [r.last ? when(r.last) : "not yet measured", missed, r.why ? `: ${r.why}` : "",
		r.submission ? [" ", h("a", {href: `#/submission/${r.submission}`}, `#${r.submission}`)] : null];
}

export async function showBoards() {
	const {boards} = await getJson("boards");
	const columns = [
		{head: "Board", cell: b => b.name},
		{head: "State", cell: b => b.offered ? b.state : "not announced"},
		{head: "Kind", cell: b => `${b.kind}, ${b.profile ?? ""}`},
		{head: "Metric", cell: b => b.metric + (b.emulated ? " (emulated)" : "")},
		{head: "Agent", cell: b => b.agent},
		{head: "Labels", cell: b => b.labels.join(", ")},
		{head: "Reference", cell: b => referenceOf(b.reference)},
		{head: "About", cell: b => b.why ?? b.description},
	];
	return {
		title: "Boards",
		again: false,
		nodes: [h("h1", {}, "Boards"),
			boards.length ? table(null, columns, boards) : h("p", {}, "No agent has announced a board yet.")],
	};
}
