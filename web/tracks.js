// Branches that are followed: the list, and one with its points and histories.
import {h, table} from "./dom.js";
import {getJson} from "./api.js";
import {duration, percent, quantity, verdictMark, when} from "./format.js";

const POINTS = 100;

function stateOf(t) {
	const until = t.until ? ` until ${when(t.until)}` : "";
	return t.state + until + (t.looking ? ", looking" : "");
}

export async function showTracks() {
	const {tracks} = await getJson("tracks?limit=200");
	const columns = [
		{head: "", cell: t => h("a", {href: `#/track/${t.id}`}, `#${t.id}`)},
		{head: "Branch", cell: t => h("a", {href: `#/track/${t.id}`}, t.branch)},
		{head: "Tree", cell: t => t.tree},
		{head: "State", cell: stateOf},
		{head: "Points", num: true, cell: t => t.points_total},
		{head: "Looked", cell: t => when(t.looked)},
		{head: "By", cell: t => t.by},
		{head: "Why", cell: t => t.why ?? ""},
	];
	return {
		title: "Tracks",
		again: false,
		nodes: [h("h1", {}, "Tracks"),
			tracks.length ? table("Branches that are followed, newest first", columns, tracks)
				: h("p", {}, "No branch is followed yet. ", h("code", {}, "foldwatch help track"), " says how.")],
	};
}

export function historyLink(track, x, text) {
	const query = new URLSearchParams({case: x.case, board: x.board, metric: x.metric});
	if (x.config)
		query.set("config", x.config);
	return h("a", {href: `#/track/${track}/history?${query}`}, text);
}

// "▲ 2 ▼ 1 = 57": only what there is.
function verdicts(p) {
	const v = p.verdicts;
	if (!v)
		return p.same_image ? "same binary" : null;
	return h("span", {class: "counts"}, ["slower", "faster", "same", "unsure", "skip", "invalid"].filter(word => v[word])
		.map(word => h("span", {class: `verdict ${word}`, title: word}, `${verdictMark(word)} ${v[word]} `)));
}

function pointTable(t) {
	return table(`${t.points_total} points, newest first`, [
		{head: "#", num: true, cell: p => p.position},
		{head: "Commit", cell: p => h("code", {title: p.commit}, p.commit.slice(0, 12))},
		{head: "Subject", cell: p => p.subject},
		{head: "What", cell: p => [p.kind === "commit" ? "" : p.kind, p.rebased ? "rebased" : "", p.filled ? "filled in" : ""].filter(x => x).join(", ")},
		{head: "State", cell: p => p.submission ? h("a", {href: `#/submission/${p.submission}`}, p.state) : p.state},
		{head: "Verdicts", cell: verdicts},
		{head: "Release", cell: p => p.release ? h("a", {href: `#/submission/${p.release}`}, `#${p.release}`) : ""},
		{head: "Seen", cell: p => when(p.seen)},
		{head: "Note", cell: p => p.note ?? ""},
	], t.points);
}

function changeText(c) {
	return c ? `${percent(c.change)} at ${c.position}${c.class === "step" ? "" : `, ${c.class}`}` : "none";
}

// One row a series: the newest environment's stands for those before it.
function newestOf(histories) {
	const rows = new Map();
	for (const x of histories) {
		const key = JSON.stringify([x.board, x.case, x.metric, x.config]);
		const had = rows.get(key);
		if (!had || (x.last?.position ?? 0) >= (had.last?.position ?? 0))
			rows.set(key, {...x, environments: (had?.environments ?? 0) + 1, sum: (had?.sum ?? 0) + x.points});
		else
			rows.set(key, {...had, environments: had.environments + 1, sum: had.sum + x.points});
	}
	return [...rows.values()];
}

function historyTable(id, histories) {
	return table(histories.some(x => x.emulated) ? "Counts of instructions are emulated, not time" : null, [
		{head: "Case", cell: x => historyLink(id, x, x.case)},
		{head: "Board", cell: x => x.board},
		{head: "Config", cell: x => x.config},
		{head: "Points", num: true, cell: x => x.sum},
		{head: "Environments", num: true, cell: x => x.environments},
		{head: "Newest", num: true, cell: x => quantity(x.last?.value, x.metric)},
		{head: "Last change", cell: x => changeText(x.change)},
		{head: "Class", cell: x => x.class === "steady" ? "" : x.class},
	], newestOf(histories));
}

function releaseNode(release) {
	return release ? h("p", {}, `Point ${release.position} is held against ${release.release} in submission `,
		h("a", {href: `#/submission/${release.submission}`}, `#${release.submission}`), ".") : null;
}

export async function showTrack(id) {
	const [t, {histories, release}] = await Promise.all([getJson(`tracks/${id}?limit=${POINTS}`), getJson(`tracks/${id}/histories`)]);
	return {
		title: `Track ${t.branch}`,
		again: t.looking || t.points.some(p => ["waiting", "resolving", "building", "booting"].includes(p.state)),
		nodes: [
			h("p", {}, h("a", {href: "#/tracks"}, "← all tracks")),
			h("h1", {}, `#${t.id} ${t.branch}`),
			h("p", {class: "dim"}, `${t.tree}; ${stateOf(t)}; ${t.mode}, looked at every ${duration(t.every_s)}`,
				t.tip ? [", tip ", h("code", {title: t.tip}, t.tip.slice(0, 12))] : ""),
			t.why ? h("div", {class: "card error"}, t.why) : null,
			releaseNode(release),
			h("h2", {}, "Histories"),
			histories.length ? historyTable(t.id, histories) : h("p", {}, "Nothing was measured yet."),
			h("h2", {}, "Points"),
			t.points.length ? pointTable(t) : h("p", {}, "No commit was seen yet."),
		],
	};
}
