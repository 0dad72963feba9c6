// The router: the part of the address behind # names the page.
import {h, replace} from "./dom.js";
import {showList} from "./list.js";
import {showSubmission} from "./submission.js";
import {showCell} from "./cell.js";
import {showBoards} from "./boards.js";
import {showAlert, showAlerts} from "./alerts.js";
import {showTrack, showTracks} from "./tracks.js";
import {showHistory} from "./history.js";

const routes = [
	[/^\/?$/, showList],
	[/^\/boards$/, showBoards],
	[/^\/alerts(?:\?(.*))?$/, showAlerts],
	[/^\/alert\/(\d+)$/, showAlert],
	[/^\/tracks$/, showTracks],
	[/^\/track\/(\d+)$/, showTrack],
	[/^\/track\/(\d+)\/history\?(.*)$/, showHistory],
	[/^\/submission\/(\d+|latest)$/, showSubmission],
	[/^\/submission\/(\d+)\/cell\?(.*)$/, showCell],
];
const main = document.getElementById("main");
const status = document.getElementById("status");
const REFRESH_MS = 2000;
let turn = 0;

// A page is a function (args) -> {title, nodes, again}: `again` asks for the
// page to be drawn anew while something is under way.
async function show(fresh) {
	const mine = ++turn;
	const path = decodeURI(location.hash.slice(1));
	const found = routes.map(([re, page]) => [re.exec(path), page]).find(([match]) => match);
	if (!found) {
		replace(main, h("h1", {}, "No such page"), h("p", {}, h("a", {href: "#/"}, "All submissions")));
		return;
	}
	const [match, page] = found;
	let again = true;
	try {
		const result = await page(...match.slice(1));
		if (mine !== turn)
			return;
		document.title = `${result.title} – foldwatch`;
		const focused = document.activeElement?.id;
		const {scrollX, scrollY} = window;
		replace(main, result.nodes);
		result.drawn?.();
		if (fresh) {
			// A new page begins at its content; the first one at the browser's top.
			if (mine > 1)
				main.focus({preventScroll: true});
			window.scrollTo(0, 0);
		} else {
			window.scrollTo(scrollX, scrollY);
			if (focused)
				document.getElementById(focused)?.focus({preventScroll: true});
		}
		status.textContent = "";
		again = result.again;
	} catch (error) {
		if (mine !== turn)
			return;
		status.textContent = error.message;
		if (fresh)
			replace(main, h("div", {class: "card error", role: "alert"}, error.message));
	}
	if (again)
		setTimeout(() => {
			if (mine === turn)
				document.hidden ? waitVisible(mine) : show(false);
		}, REFRESH_MS);
}

function waitVisible(mine) {
	document.addEventListener("visibilitychange", () => {
		if (mine === turn)
			show(false);
	}, {once: true});
}

window.addEventListener("hashchange", () => show(true));
show(true);
