// Elements from data. Text only ever becomes a text node: nothing that the API
// says is parsed as HTML.

/** h("a", {href: "#/", class: "x"}, "text", child, …); null children are left out. */
export function h(tag, attrs, ...children) {
	const el = document.createElement(tag);
	for (const [name, value] of Object.entries(attrs ?? {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (name.startsWith("on"))
			el.addEventListener(name.slice(2), value);
		else
			el.setAttribute(name, value === true ? "" : String(value));
	}
	for (const child of children.flat(Infinity))
		if (child !== null && child !== undefined)
			el.append(child instanceof Node ? child : String(child));
	return el;
}

/** A table: columns [{head, num, cell: row => node or text}]. */
export function table(caption, columns, rows) {
	return h("div", {class: "scroll"}, h("table", {},
		caption ? h("caption", {}, caption) : null,
		h("thead", {}, h("tr", {}, columns.map(c => h("th", {scope: "col", class: c.num ? "num" : null}, c.head)))),
		h("tbody", {}, rows.map(row => h("tr", {},
			columns.map(c => h("td", {class: c.num ? "num" : null}, c.cell(row) ?? "–")))))));
}

export function replace(parent, ...children) {
	parent.replaceChildren(...children.flat(Infinity).filter(c => c !== null && c !== undefined));
}
