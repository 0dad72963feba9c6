// Numbers and words for people.

/** A fraction as a signed percentage: 0.146 -> "+14.60 %". */
export function percent(x, digits = 2) {
	if (x === null || x === undefined)
		return null;
	const p = 100 * x;
	return `${p > 0 ? "+" : ""}${p.toFixed(digits)} %`;
}

export function interval(low, high) {
	return low === null || high === null || low === undefined ? null : `[${percent(low)}, ${percent(high)}]`;
}

/** A mean with its unit: counts grouped, times scaled. */
export function quantity(x, metric) {
	if (x === null || x === undefined)
		return null;
	if (metric !== "ns")
		return Math.round(x).toLocaleString("en-US");
	for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["µs", 1e3]])
		if (x >= size)
			return `${(x / size).toFixed(2)} ${unit}`;
	return `${x.toFixed(0)} ns`;
}

export function duration(seconds) {
	if (seconds === null || seconds === undefined)
		return null;
	const s = Math.round(seconds);
	if (s < 60)
		return `${s} s`;
	if (s < 3600)
		return `${Math.floor(s / 60)} m ${String(s % 60).padStart(2, "0")} s`;
	return `${Math.floor(s / 3600)} h ${String(Math.floor(s % 3600 / 60)).padStart(2, "0")} m`;
}

/** ISO time to the reader's own clock: "2026-11-26 20:04", in every locale. */
export function when(iso) {
	if (!iso)
		return null;
	const t = new Date(iso);
	const two = n => String(n).padStart(2, "0");
	return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${two(t.getHours())}:${two(t.getMinutes())}`;
}

/** Instruction counts are not time: more and fewer, never slower and faster. */
export function verdictWord(verdict, metric) {
	if (metric === "ns")
		return verdict;
	return {slower: "more", faster: "fewer"}[verdict] ?? verdict;
}

const marks = {slower: "▲", faster: "▼", same: "=", unsure: "?", skip: "–", invalid: "✕"};
export function verdictMark(verdict) {
	return marks[verdict] ?? "";
}
